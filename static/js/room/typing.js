/** Who is writing: said every few seconds while it is so, and shown until it was not said for a while. */

import { say } from "../lib/dom.js";

const TOLD_EVERY_MS = 3_000;
const HOLDS_MS = 5_000;

/** Tells the other page that this person writes, and shows that the other does. */
export class Typing {
  #toldAt = -Infinity;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #ends;

  /**
   * @param {HTMLElement} line where it is shown
   * @param {string} other the other person's name
   * @param {() => void} tell
   */
  constructor(line, other, tell) {
    this.line = line;
    this.sentence = `${other} is typing…`;
    this.tell = tell;
  }

  /**
   * The person changed what is in the box.
   * @param {string} text
   */
  changed(text) {
    const now = performance.now();
    if (!text.trim() || now - this.#toldAt < TOLD_EVERY_MS) return;
    this.#toldAt = now;
    this.tell();
  }

  /** The line went out: the next one is told at once. */
  sent() {
    this.#toldAt = -Infinity;
  }

  /** The other writes. */
  show() {
    clearTimeout(this.#ends);
    this.#ends = setTimeout(() => this.hide(), HOLDS_MS);
    say(this.line, this.sentence);
  }

  /** The other's line came, or nothing more. */
  hide() {
    clearTimeout(this.#ends);
    say(this.line, "");
  }
}
