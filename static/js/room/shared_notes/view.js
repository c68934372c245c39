/**
 * The shared notes in the room: a text box that both write in at once.
 *
 * @import {EditNotes, ReadNotes, SessionEvent} from "../../events.js"
 * @import {Change} from "./change.js"
 */

import { need, say } from "../../lib/dom.js";
import { timeOfDay } from "../../lib/time.js";
import { apply, changesAnything, difference, endOf, moved } from "./change.js";
import { NotesCopy } from "./copy.js";
import { Undo } from "./undo.js";

// Quick enough to be read as it is written, and slow enough to be a few words.
const SEND_MS = 250;
// An edit whose news was lost on the way is asked for after so long.
const ASK_MS = 15_000;

/** Shows the notes in the text box of `[data-shared-notes]`, and sends what is written there. */
export class SharedNotes {
  #copy;
  #undo = new Undo();
  #box;
  #connected = false;
  #problem;
  #rescue;
  // Words the server did not keep, until their person has copied them.
  #refused = "";
  // While a letter is composed of several keys, the box must be left alone.
  #composing = false;
  /** @type {SessionEvent[]} */
  #held = [];
  #sentAt = -Infinity;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /**
   * @param {HTMLElement} root
   * @param {object} setting
   * @param {string} setting.session
   * @param {string} setting.person this person's id
   * @param {boolean} setting.isCustomer
   * @param {(message: EditNotes | ReadNotes) => boolean} setting.send false where the connection is gone
   * @param {() => void} setting.heard the other person wrote
   * @param {AbortSignal} setting.signal
   */
  constructor(root, { session, person, isCustomer, send, heard, signal }) {
    this.root = root;
    this.person = person;
    this.send = send;
    this.heard = heard;
    this.key = `hopps.notes.${session}`;
    const unsaved = JSON.parse(sessionStorage.getItem(this.key) ?? "null");
    this.#copy = new NotesCopy({ person, isCustomer, send }, unsaved);
    const box = (this.#box = need(root, "textarea", HTMLTextAreaElement));
    this.#problem = need(root, "[data-notes-problem]", HTMLElement);
    this.#rescue = need(root, "button", HTMLButtonElement);
    this.#rescue.addEventListener("click", () => void this.#copyRefused(), { signal });
    box.addEventListener("input", () => this.#composing || this.#typed(), { signal });
    box.addEventListener("compositionstart", () => (this.#composing = true), { signal });
    box.addEventListener("compositionend", () => this.#composed(), { signal });
    box.addEventListener("keydown", (event) => this.#key(event), { signal });
    box.addEventListener("beforeinput", (event) => this.#byMenu(event), { signal });
    box.addEventListener("blur", () => this.#sendNow(), { signal });
    addEventListener("pagehide", () => this.#sendNow(), { signal });
    const asking = setInterval(() => this.#connected && this.send(this.#copy.question), ASK_MS);
    signal.addEventListener("abort", () => {
      clearInterval(asking);
      clearTimeout(this.#timer);
    });
    this.#show();
  }

  /** The room let this page in: ask where the notes stand. What was not sent is sent then. */
  welcome() {
    this.#connected = true;
    this.send(this.#copy.question);
  }

  /** The connection is gone. One may go on writing. */
  lost() {
    this.#connected = false;
    this.#copy.lost();
    this.#show();
  }

  /** @param {SessionEvent} event */
  hear(event) {
    if (this.#composing) this.#held.push(event);
    else if (event.type === "notes_edited") {
      const others = event.author !== this.person && event.revision > this.#copy.revision;
      this.#update((changed) => {
        if (!this.#copy.hear(event, changed)) this.send(this.#copy.question);
      });
      if (others) this.heard();
    } else if (event.type === "notes_text") {
      this.#update((changed) => this.#copy.read(event, changed));
    } else if (event.type === "notes_refused" && event.id === this.#copy.unsaved?.sent?.id) {
      this.#refused += (this.#refused && "\n\n") + this.#copy.refused();
      // Browsers give a clipboard to safe addresses only.
      this.#rescue.hidden = !this.#refused || !navigator.clipboard;
      say(this.#problem, event.message);
      this.send(this.#copy.question);
      this.#show();
    }
  }

  async #copyRefused() {
    try {
      await navigator.clipboard.writeText(this.#refused);
    } catch {
      say(this.#rescue, "Not allowed by this browser");
      return;
    }
    this.#refused = "";
    this.#rescue.hidden = true;
    say(this.#problem, "");
  }

  // --- what the person writes ---

  #typed() {
    const box = this.#box;
    const before = this.#copy.text;
    // Halves of letters cannot be sent, nor kept a NUL.
    const after = box.value.replace(/[\0\p{Surrogate}]/gu, "\ufffd");
    const change = difference(before, after, box.selectionStart);
    if (!changesAnything(change)) return;
    this.#undo.wrote(before, change, performance.now());
    this.#write(change);
  }

  #composed() {
    this.#composing = false;
    this.#typed();
    for (const event of this.#held.splice(0)) this.hear(event);
  }

  /** @param {Change} change */
  #write(change) {
    this.#copy.write(change);
    if (this.#rescue.hidden) say(this.#problem, "");
    this.#sendSoon();
    this.#show();
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const key = event.key.toLowerCase();
    if (!(event.ctrlKey || event.metaKey) || event.altKey || (key !== "z" && key !== "y")) return;
    event.preventDefault();
    this.#turn(key === "y" || event.shiftKey ? "redo" : "undo");
  }

  /** @param {InputEvent} event undo and redo from the browser's menu, or a phone's shake */
  #byMenu(event) {
    if (event.inputType !== "historyUndo" && event.inputType !== "historyRedo") return;
    event.preventDefault();
    this.#turn(event.inputType === "historyRedo" ? "redo" : "undo");
  }

  /** @param {"undo" | "redo"} way */
  #turn(way) {
    const before = this.#copy.text;
    const change = this.#box.readOnly ? null : this.#undo[way](before);
    if (!change) return;
    const caret = endOf(before, change);
    this.#box.value = apply(before, change);
    this.#box.setSelectionRange(caret, caret);
    this.#write(change);
  }

  // --- sending ---

  #sendSoon() {
    clearTimeout(this.#timer);
    const wait = this.#sentAt + SEND_MS - performance.now();
    if (wait <= 0) this.#sendNow();
    else this.#timer = setTimeout(() => this.#sendNow(), wait);
  }

  #sendNow() {
    if (!this.#copy.flush()) return;
    this.#sentAt = performance.now();
    this.#show();
  }

  // --- what is shown ---

  /**
   * Let `work` bring the copy up to date, and then the box: the caret stays where it is in the text.
   * @param {(changed: (change: Change) => void) => void} work
   */
  #update(work) {
    const box = this.#box;
    let text = box.value;
    let places = [box.selectionStart, box.selectionEnd];
    /** @param {Change} change */
    const move = (change) => (places = places.map((place) => moved(text, place, change)));
    work((change) => {
      move(change);
      this.#undo.fit(change);
      text = this.#copy.text;
    });
    if (box.value !== this.#copy.text) {
      const { scrollTop, selectionDirection } = box;
      box.value = this.#copy.text;
      const [start = 0, end = start] = places;
      if (document.activeElement === box) box.setSelectionRange(start, end, selectionDirection);
      box.scrollTop = scrollTop;
    }
    if (this.#copy.unsaved && !this.#copy.unsaved.sent) this.#sendSoon();
    this.#show();
  }

  #show() {
    const { unsaved, last, isRead } = this.#copy;
    if (unsaved) sessionStorage.setItem(this.key, JSON.stringify(unsaved));
    else sessionStorage.removeItem(this.key);
    this.#box.readOnly = !isRead;
    const lines = [];
    if (unsaved) lines.push(this.#connected ? "Saving…" : "Not saved yet: the connection is gone. It goes out when it is back");
    else if (last) lines.push("Saved");
    if (last) lines.push(`${last.author === this.person ? "You" : last.name} wrote last, ${timeOfDay(last.edited_at)}`);
    say(need(this.root, "[data-notes-state]", HTMLElement), lines.join(" · "));
  }
}
