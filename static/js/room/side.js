/** What stands beside the call: chat and notes, one tab each. On a phone it lies below the picture. */

import { all, need, show } from "../lib/dom.js";

/** @typedef {"chat" | "notes"} Part */

export class Side {
  #tabs;
  #toggle;

  /**
   * @param {HTMLElement} root the room
   * @param {AbortSignal} signal
   */
  constructor(root, signal) {
    this.root = root;
    this.#toggle = need(root, "[data-chat-toggle]", HTMLButtonElement);
    this.#tabs = all(root, "[data-side-tab]");
    this.#toggle.addEventListener("click", () => this.open(!this.isOpen), { signal });
    need(root, "[data-chat-close]", HTMLButtonElement).addEventListener("click", () => this.open(false), { signal });
    for (const tab of this.#tabs) {
      tab.addEventListener("click", () => this.#select(tab), { signal });
      tab.addEventListener("keydown", (event) => this.#key(event, tab), { signal });
    }
    this.open(matchMedia("(min-width: 60rem)").matches, false);
  }

  get isOpen() {
    return this.root.dataset.chat === "open";
  }

  /** @returns {HTMLElement | undefined} */
  get #selected() {
    return this.#tabs.find((tab) => tab.ariaSelected === "true");
  }

  /**
   * Something new is in `part`: mark it, unless it is in view.
   * @param {Part} part
   */
  news(part) {
    if (this.isOpen && this.#selected?.dataset.sideTab === part) return;
    show(this.root, `[data-news="${part}"]`, true);
    if (!this.isOpen) show(this.root, "[data-unread]", true);
  }

  /**
   * @param {boolean} open
   * @param {boolean} [focus] whether the person asked for it just now
   */
  open(open, focus = true) {
    this.root.dataset.chat = open ? "open" : "closed";
    this.#toggle.setAttribute("aria-expanded", String(open));
    if (open) this.#seen();
    if (!focus) return;
    if (open) this.#panel(this.#selected)?.querySelector("textarea")?.focus();
    else this.#toggle.focus();
  }

  /**
   * Show `part`, and leave the focus where it is.
   * @param {Part} part
   */
  show(part) {
    const tab = this.#tabs.find((one) => one.dataset.sideTab === part);
    if (tab) this.#select(tab);
    this.open(true, false);
  }

  #seen() {
    show(this.root, "[data-unread]", false);
    show(this.root, `[data-news="${this.#selected?.dataset.sideTab}"]`, false);
  }

  /** @param {HTMLElement | undefined} tab */
  #panel(tab) {
    return this.root.querySelector(`#${tab?.getAttribute("aria-controls")}`);
  }

  /** @param {HTMLElement} chosen */
  #select(chosen) {
    for (const tab of this.#tabs) {
      tab.ariaSelected = String(tab === chosen);
      tab.tabIndex = tab === chosen ? 0 : -1;
      this.#panel(tab)?.toggleAttribute("hidden", tab !== chosen);
    }
    this.#seen();
  }

  /**
   * Arrows go from tab to tab; Tab goes on to what is in it.
   * @param {KeyboardEvent} event
   * @param {HTMLElement} tab
   */
  #key(event, tab) {
    const count = this.#tabs.length;
    const at = this.#tabs.indexOf(tab);
    /** @type {Record<string, number>} */
    const places = { ArrowRight: at + 1, ArrowLeft: at - 1 + count, Home: 0, End: count - 1 };
    const to = this.#tabs[(places[event.key] ?? NaN) % count];
    if (!to) return;
    event.preventDefault();
    this.#select(to);
    to.focus();
  }
}
