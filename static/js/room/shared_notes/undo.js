/**
 * Taking back one's own changes of the shared notes, and none of the other's.
 *
 * A browser forgets its own undo when a script changes a text box, and would take back what the other wrote.
 *
 * @import {Change} from "./change.js"
 */

import { changesAnything, joined, rebase, reverse } from "./change.js";

const STEPS_KEPT = 200;
// What is written in one go is taken back in one go.
const PAUSE_MS = 800;

/**
 * Whoever writes over a selection wants to have back what stood there, and no more.
 * @param {Change} change
 */
function putsInPlaceOfSomething(change) {
  return change.some((step) => typeof step === "string") && change.some((step) => typeof step === "number" && step < 0);
}

export class Undo {
  // Each made of the text as it is once those after it in the list are taken back.
  /** @type {Change[]} */
  #back = [];
  /** @type {Change[]} */
  #again = [];
  #at = -Infinity;

  /**
   * The person changed the text.
   * @param {string} text as it was before
   * @param {Change} change
   * @param {number} now in milliseconds
   */
  wrote(text, change, now) {
    const back = reverse(text, change);
    const before = now - this.#at < PAUSE_MS && !putsInPlaceOfSomething(change) ? this.#back.pop() : undefined;
    this.#back.push(before ? joined(back, before) : back);
    if (this.#back.length > STEPS_KEPT) this.#back.shift();
    this.#again = [];
    this.#at = now;
  }

  /**
   * Somebody else's change came between.
   * @param {Change} change
   */
  fit(change) {
    for (const list of [this.#back, this.#again]) {
      let other = change;
      for (let at = list.length - 1; at >= 0; at--) {
        const own = list[at] ?? [];
        list[at] = rebase(own, other, true);
        other = rebase(other, own, false);
      }
    }
  }

  /**
   * Return the change that takes the last one back, or null.
   * @param {string} text as it is
   */
  undo(text) {
    return this.#turn(text, this.#back, this.#again);
  }

  /**
   * Return the change that makes what was taken back last again, or null.
   * @param {string} text as it is
   */
  redo(text) {
    return this.#turn(text, this.#again, this.#back);
  }

  /**
   * @param {string} text
   * @param {Change[]} from
   * @param {Change[]} to
   */
  #turn(text, from, to) {
    this.#at = -Infinity;
    for (let change; (change = from.pop()); ) {
      // The other may have taken out everything it would change.
      if (!changesAnything(change)) continue;
      to.push(reverse(text, change));
      return change;
    }
    return null;
  }
}
