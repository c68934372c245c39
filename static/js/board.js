/**
 * The expert's board: availability, sound, and the requests open now.
 *
 * @import {BoardEvent, BoardMessage, OpenRequest} from "./events.js"
 */

import { Notices, TitleFlash } from "./lib/attention.js";
import { connectionLine } from "./lib/connection.js";
import { all, find, need, say, show } from "./lib/dom.js";
import { showError, submitInPlace } from "./lib/forms.js";
import { LiveSocket } from "./lib/socket.js";
import { Chime } from "./lib/sound.js";
import { clockText, momentText, serverTime } from "./lib/time.js";
import { pushIsPossible } from "./push.js";

const LEAVING_MS = 300;

/**
 * The tag of a request's notification, as the server's pushes bear it (sessions_app/reach/words.py).
 * @param {string} id
 */
const tagOf = (id) => `request-${id}`;

/** The `[data-board]` element. */
class Board {
  #chime = new Chime();
  #flash = new TitleFlash();
  #notices = new Notices();
  #showConnection = connectionLine();
  /** @type {Set<string>} requests that chime and were not looked at yet */
  #ringing = new Set();

  /** @param {HTMLElement} root */
  constructor(root) {
    this.root = root;
    this.now = serverTime(root.dataset.now);
    this.list = need(root, "[data-requests]", HTMLElement);
    this.template = need(root, "[data-request-template]", HTMLTemplateElement);
    this.available = need(root, "[data-availability]", HTMLFormElement);
    /** @type {LiveSocket<BoardEvent, BoardMessage>} */
    this.socket = new LiveSocket("/ws/board/", { hear: (event) => this.#hear(event), change: this.#showConnection });
    this.#listen();
    this.#tick();
    this.#count();
    setInterval(() => this.#tick(), 1000);
    this.socket.open();
  }

  // --- what the server says ---

  /** @param {BoardEvent} event */
  #hear(event) {
    switch (event.type) {
      case "board_state":
        this.#setState(event.available, event.session);
        this.#setQuiet(event.quiet_until);
        this.#setRequests(event.requests);
        break;
      case "request_opened":
        this.#open(event.request);
        break;
      case "request_closed":
        this.#close(event.id);
        break;
      case "error":
        showError(this.available, event.message);
        break;
    }
    this.#count();
  }

  /**
   * @param {boolean} available
   * @param {string | null} session the live session this expert is in
   */
  #setState(available, session) {
    const button = need(this.available, "button", HTMLButtonElement);
    button.setAttribute("aria-checked", String(available));
    button.value = available ? "0" : "1";
    showError(this.available, "");
    this.root.dataset.available = available ? "yes" : "no";
    this.root.dataset.busy = session ? "yes" : "no";
    show(this.root, "[data-busy-note]", session !== null);
    const link = find(this.root, "[data-busy-link]");
    if (link instanceof HTMLAnchorElement && session) link.href = `/sessions/${session}/`;
  }

  /** @param {string | null} until when the expert may be disturbed again */
  #setQuiet(until) {
    const shown = this.root.dataset.quietUntil ?? "";
    this.root.dataset.quietUntil = until ?? "";
    if (until && Date.parse(until) !== Date.parse(shown)) say(find(this.root, "[data-quiet-text]"), momentText(until, this.now()));
    show(this.root, "[data-quiet-note]", until !== null);
    show(this.root, "[data-quiet-choices]", until === null);
  }

  /** @param {OpenRequest[]} requests all that are open, in order */
  #setRequests(requests) {
    const open = new Set(requests.map(({ id }) => id));
    for (const card of this.#cards()) {
      if (!open.has(card.dataset.request ?? "")) this.#close(card.dataset.request ?? "");
    }
    // One that was opened while this page was cut off chimes like any other.
    for (const request of requests) this.#open(request);
  }

  #cards() {
    return all(this.list, "[data-request]:not([data-leaving])");
  }

  /** @param {string} id */
  #card(id) {
    return this.#cards().find((card) => card.dataset.request === id);
  }

  /**
   * @param {OpenRequest} request
   */
  #open(request) {
    const shown = this.#card(request.id);
    if (shown) {
      shown.dataset.expires = request.expires_at;
      showAskedFirst(shown, request);
      return;
    }
    const copy = document.importNode(this.template.content, true);
    const card = need(copy, "[data-request]", HTMLElement);
    card.dataset.request = request.id;
    card.dataset.expires = request.expires_at;
    const facts = { ...request, cap: `up to ${request.cap_minutes} min` };
    for (const [name, value] of Object.entries(facts)) {
      for (const place of card.querySelectorAll(`[data-field="${name}"]`)) say(place, String(value));
    }
    show(card, '[data-field="details"]', request.details !== "");
    showAskedFirst(card, request);
    for (const form of card.querySelectorAll("form")) form.action = form.action.replace(/[0-9a-f-]{36}/, request.id);
    for (const link of card.querySelectorAll("a")) link.href = link.href.replace(/[0-9a-f-]{36}/, request.id);
    this.list.append(card);
    this.#tick();
    this.#ring(request, card);
  }

  /** @param {string} id */
  #close(id) {
    const card = this.#card(id);
    this.#quiet(id);
    this.#notices.close(tagOf(id));
    if (!card) return;
    // Off the list for everybody at once; only the eye sees it go.
    card.toggleAttribute("data-leaving", true);
    card.inert = true;
    setTimeout(() => card.remove(), LEAVING_MS);
  }

  // --- catching the expert's attention ---

  /**
   * @param {OpenRequest} request
   * @param {HTMLElement} card
   */
  #ring(request, card) {
    card.toggleAttribute("data-chiming", true);
    this.#ringing.add(request.id);
    this.#chime.ring();
    this.#flash.start(`Help wanted: ${request.title}`);
    this.#notices.show(tagOf(request.id), `Help wanted: ${request.title}`, `${request.topic}, ${request.price}`);
    say(find(this.root, "[data-news]"), `New request: ${request.title}, ${request.topic}, ${request.price}.`);
  }

  /** @param {string} id */
  #quiet(id) {
    this.#card(id)?.removeAttribute("data-chiming");
    this.#ringing.delete(id);
    if (this.#ringing.size) return;
    this.#chime.stop();
    this.#flash.stop();
  }

  /** The expert is looking: no need to ring on. */
  #seen() {
    for (const id of [...this.#ringing]) this.#quiet(id);
  }

  async #turnSoundOn() {
    const proven = await this.#chime.unlock();
    this.#showSound(proven ? "yes" : "no");
    say(
      find(this.root, "[data-sound-said]"),
      proven ? "You just heard the chime." : "No sound came out. Allow sound for this page beside its address, then press again.",
    );
  }

  /** @param {"yes" | "no"} proven */
  #showSound(proven) {
    need(this.root, "[data-sound-state]", HTMLElement).dataset.proven = proven;
    show(this.root, "[data-sound-on]", proven === "yes");
    show(this.root, "[data-sound-off]", proven === "no");
    say(find(this.root, "[data-turn-sound-on] [data-label]"), proven === "yes" ? "Play chime" : "Turn sound on");
  }

  #showNotices() {
    // Where notifications come with the board closed too, that is what is offered (push.js).
    const offered = pushIsPossible() && find(this.root, "[data-push]") !== null;
    show(this.root, "[data-ask-notices]", this.#notices.askable && !offered);
  }

  // --- what is shown ---

  #tick() {
    const quietUntil = this.root.dataset.quietUntil;
    // Over: the server says what is open now, and lets this board hear again.
    if (quietUntil && Date.parse(quietUntil) <= this.now()) this.socket.sync();
    for (const card of this.#cards()) {
      const left = (Date.parse(card.dataset.expires ?? "") - this.now()) / 1000;
      say(find(card, "[data-time-left]"), clockText(left));
    }
  }

  #count() {
    const count = this.#cards().length;
    const available = this.root.dataset.available === "yes";
    const busy = this.root.dataset.busy === "yes";
    const quiet = this.root.dataset.quietUntil !== "";
    say(find(this.root, "[data-count]"), count ? String(count) : "");
    show(this.root, "[data-empty]", available && !busy && !quiet && count === 0);
    show(this.root, "[data-hushed]", available && !busy && quiet);
    show(this.root, "[data-unavailable]", !available && !busy);
  }

  // --- what the expert does ---

  #listen() {
    this.available.addEventListener("submit", (event) => {
      const button = need(this.available, "button", HTMLButtonElement);
      // Without the socket it is a plain form.
      if (!this.socket.send({ type: "set_availability", available: button.value === "1" })) return;
      event.preventDefault();
      showError(this.available, "");
    });
    // In place: a page that is loaded anew has lost its sound. What changed comes over the socket.
    submitInPlace(this.root, () => {}, new AbortController().signal);
    need(this.root, "[data-turn-sound-on]", HTMLButtonElement).addEventListener("click", () => this.#turnSoundOn());
    need(this.root, "[data-ask-notices]", HTMLButtonElement).addEventListener("click", async () => {
      await this.#notices.ask();
      this.#showNotices();
    });
    this.#showSound("no");
    this.#showNotices();
    // A hand on the page, or eyes back on it: somebody is there.
    for (const sign of ["pointerdown", "keydown"]) document.addEventListener(sign, () => this.#seen());
    document.addEventListener("visibilitychange", () => document.hidden || this.#seen());
  }

  /** For tests: the loudest sample of the chime now, 0 to 1. */
  get soundEnergy() {
    return this.#chime.energy();
  }
}

/**
 * Say whether the customer asks for this expert alone, who can then say "not now".
 * @param {HTMLElement} card
 * @param {OpenRequest} request
 */
function showAskedFirst(card, request) {
  for (const part of all(card, "[data-asked-first]")) part.hidden = !request.asked_first;
}

const board = new Board(need(document, "[data-board]", HTMLElement));
Object.assign(window, { hopps: { soundEnergy: () => board.soundEnergy } });
