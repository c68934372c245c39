/**
 * The clock and the cost so far. The server decides time; between its words the page ticks on by itself.
 *
 * @import {Clock} from "../events.js"
 */

import { need, say, show } from "../lib/dom.js";
import { amountDue, formatMoney } from "../lib/money.js";
import { clockText } from "../lib/time.js";

/** Shows the server's clock in a room's `[data-room]` element. */
export class ClockView {
  /** @type {Clock | null} */
  #clock = null;
  #receivedAt = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /** @param {HTMLElement} root */
  constructor(root) {
    this.root = root;
    this.face = need(root, "[data-clock]", HTMLElement);
  }

  /**
   * Take over what the server said.
   * @param {Clock} clock
   */
  set(clock) {
    // Two of them may overtake each other on the way.
    if (this.#clock && clock.as_of < this.#clock.as_of) return;
    this.#clock = clock;
    this.#receivedAt = performance.now();
    const paused = clock.paused_by !== null;
    this.face.dataset.running = clock.running ? "yes" : "no";
    show(this.root, "[data-pause]", !paused);
    show(this.root, "[data-resume]", paused);
    say(this.root.querySelector("[data-paused]"), paused ? `${clock.paused_by} paused the clock.` : "");
    show(this.root, "[data-paused]", paused);
    show(this.root, "[data-charged]", clock.connected);
    show(this.root, "[data-uncharged]", !clock.connected);
    this.#tick();
  }

  /** Whether the server said that no page of the two ever was connected: then there is nothing to pay. */
  get neverConnected() {
    return this.#clock?.connected === false;
  }

  /** Cut off from the server, which counts this person as gone: the figure stays until it has spoken again. */
  hold() {
    if (!this.#clock?.running) return;
    this.#clock = { ...this.#clock, running: false, billable_seconds: this.#seconds(this.#clock) };
    this.face.dataset.running = "no";
    this.#tick();
  }

  close() {
    clearTimeout(this.#timer);
  }

  /**
   * Billable seconds now: never by the laptop's own clock, which may be set.
   * @param {Clock} clock
   */
  #seconds(clock) {
    const since = clock.running ? (performance.now() - this.#receivedAt) / 1000 : 0;
    return Math.min(clock.billable_seconds + since, Math.max(clock.cap_seconds, clock.billable_seconds));
  }

  #tick() {
    clearTimeout(this.#timer);
    const clock = this.#clock;
    if (!clock) return;
    const seconds = this.#seconds(clock);
    this.#show(clock, Math.floor(seconds));
    // At the next full second, so that both sides turn together.
    if (clock.running) this.#timer = setTimeout(() => this.#tick(), 1000 - ((seconds * 1000) % 1000) + 5);
  }

  /**
   * @param {Clock} clock
   * @param {number} seconds whole billable seconds
   */
  #show(clock, seconds) {
    const cost = formatMoney(amountDue(seconds, clock), clock.currency);
    const near = seconds >= clock.warn_seconds;
    say(this.face, clockText(seconds));
    for (const place of this.root.querySelectorAll("[data-cost]")) say(place, cost);
    say(this.root.querySelector("[data-cap]"), capText(clock, seconds));
    this.face.toggleAttribute("data-warn", near);
    show(this.root, "[data-near-cap]", near);
    // Minutes only: this is a live region, and must not speak every second.
    const left = Math.max(0, Math.ceil((clock.cap_seconds - seconds) / 60));
    for (const place of this.root.querySelectorAll("[data-left]")) say(place, `${left} min`);
  }
}

/**
 * @param {Clock} clock
 * @param {number} seconds
 */
function capText(clock, seconds) {
  const free = clock.free_seconds - seconds;
  if (free > 0) return `free for ${clockText(free)} more`;
  return `of at most ${formatMoney(clock.cap_minor, clock.currency)}`;
}
