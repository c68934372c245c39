/** What a person should know now, over the picture: one sentence each, with one action where there is something to do. */

import { make } from "../lib/dom.js";

/** @typedef {"muted" | "microphone" | "camera" | "line" | "said"} Key in the order of importance; one note each */
/** @typedef {{sentence: string, label?: string, run?: () => void, lasts?: number}} Note `lasts` in ms; for good without */

/** @type {Key[]} */
const ORDER = ["muted", "microphone", "camera", "line", "said"];

/** The notes in a `[data-notes]` element. */
export class Notes {
  /** @type {Map<Key, {note: Note, element: HTMLElement, end: ReturnType<typeof setTimeout> | undefined}>} */
  #shown = new Map();
  /** @type {Map<Key, string>} closed by the person: not shown again until there was nothing to say in between */
  #closed = new Map();

  /** @param {HTMLElement} root a live region */
  constructor(root) {
    this.root = root;
  }

  /**
   * @param {Key} key
   * @param {Note | null} note null: there is nothing to say any more
   */
  set(key, note) {
    const shown = this.#shown.get(key);
    if (!note) {
      this.#closed.delete(key);
      this.#remove(key);
      return;
    }
    if (this.#closed.get(key) === note.sentence) return;
    if (shown?.note.sentence === note.sentence && shown.note.label === note.label) {
      shown.note = note; // said already: only what its button does is new
      return;
    }
    this.#remove(key);
    const element = make("div", { class: "note" }, make("p", {}, note.sentence));
    if (note.label) element.append(this.#button({ class: "button" }, note.label, () => this.#shown.get(key)?.note.run?.()));
    element.append(
      this.#button({ class: "note-close", "aria-label": "Dismiss" }, "×", () => {
        if (!note.lasts) this.#closed.set(key, note.sentence);
        this.#remove(key);
      }),
    );
    const end = note.lasts ? setTimeout(() => this.#remove(key), note.lasts) : undefined;
    this.#shown.set(key, { note, element, end });
    const later = ORDER.slice(ORDER.indexOf(key) + 1).map((other) => this.#shown.get(other)?.element);
    this.root.insertBefore(element, later.find(Boolean) ?? null);
  }

  clear() {
    for (const key of ORDER) this.set(key, null);
  }

  /**
   * @param {Record<string, string>} attributes
   * @param {string} label
   * @param {() => void} press
   */
  #button(attributes, label, press) {
    const button = make("button", { type: "button", ...attributes }, label);
    button.addEventListener("click", press);
    return button;
  }

  /** @param {Key} key */
  #remove(key) {
    const shown = this.#shown.get(key);
    clearTimeout(shown?.end);
    shown?.element.remove();
    this.#shown.delete(key);
  }
}
