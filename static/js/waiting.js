/**
 * Waiting for an expert: the device check meanwhile, what is happening, and the time left. Also an expert's look at a request by link.
 *
 * @import {BoardEvent, BoardMessage} from "./events.js"
 * @import {LocalMedia} from "./lib/local_media.js"
 */

import { DeviceCheck } from "./device_check.js";
import { find, need, say } from "./lib/dom.js";
import { submitInPlace } from "./lib/forms.js";
import { LiveSocket } from "./lib/socket.js";
import { clockText, serverTime } from "./lib/time.js";

const REFRESH_MS = 10_000;

/**
 * Show in `[data-left]` how long the request still stands.
 * @param {HTMLElement} root has `data-expires` (ISO) and `data-now` (seconds since 1970)
 * @param {AbortSignal} signal
 */
function countDown(root, signal) {
  const now = serverTime(root.dataset.now);
  // Read each time: whoever chooses to go on waiting has more of it.
  const tick = () => say(find(root, "[data-time-left]"), clockText((Date.parse(root.dataset.expires ?? "") - now()) / 1000));
  const timer = setInterval(tick, 1000);
  signal.addEventListener("abort", () => clearInterval(timer));
  tick();
}

/**
 * Have the page fetched again at the moment the server said it changes by itself.
 * @param {HTMLElement} root has `data-changes` (ISO; empty: it does not) and `data-now`
 * @param {() => void} refresh
 * @param {AbortSignal} signal
 */
function refreshWhenDue(root, refresh, signal) {
  const now = serverTime(root.dataset.now);
  let done = "";
  const timer = setInterval(() => {
    const { changes = "" } = root.dataset;
    // A second later: the server looks at the same moment.
    if (!changes || changes === done || now() < Date.parse(changes) + 1000) return;
    done = changes;
    refresh();
  }, 1000);
  signal.addEventListener("abort", () => clearInterval(timer));
}

/** The customer's waiting page, a `[data-waiting]` element. */
export class Waiting {
  #ends = new AbortController();
  #refresh;
  #greeted = false;

  /**
   * @param {HTMLElement} root
   * @param {LocalMedia} media
   * @param {() => void} refresh have the page fetched again
   */
  constructor(root, media, refresh) {
    const { signal } = this.#ends;
    this.#refresh = refresh;
    this.check = new DeviceCheck(need(root, "[data-devices]", HTMLElement), media);
    countDown(root, signal);
    // How many were alerted changes without an event.
    const timer = setInterval(() => document.hidden || refresh(), REFRESH_MS);
    signal.addEventListener("abort", () => clearInterval(timer));
    refreshWhenDue(root, refresh, signal);
    submitInPlace(root, refresh, signal);
  }

  /** The server says how it stands: first what is shown here already, later that something happened. */
  changed() {
    if (this.#greeted) this.#refresh();
    this.#greeted = true;
  }

  close() {
    this.#ends.abort();
    this.check.close();
  }
}

/** An expert's look at an open request, a `[data-candidate]` element. */
export class Candidate {
  #ends = new AbortController();

  /** @param {HTMLElement} root */
  constructor(root) {
    const { signal } = this.#ends;
    const { session = "" } = root.dataset;
    countDown(root, signal);
    /** @param {string} sentence */
    const gone = (sentence) => {
      say(need(root, "[data-gone]", HTMLElement), sentence);
      need(root, "[data-gone]", HTMLElement).hidden = false;
      need(root, "[data-accept]", HTMLElement).hidden = true;
    };
    /** @type {LiveSocket<BoardEvent, BoardMessage>} */
    const socket = new LiveSocket("/ws/board/", {
      hear: (event) => {
        if (event.type === "request_closed" && event.id === session) gone(GONE[event.reason]);
        if (event.type === "request_opened" && event.request.id === session) location.reload();
      },
      change: () => {},
    });
    socket.open();
    signal.addEventListener("abort", () => socket.close());
  }

  close() {
    this.#ends.abort();
  }
}

const GONE = {
  taken: "Another expert took this one. Thank you for being quick.",
  cancelled: "The customer called this request off.",
  expired: "This request has run out of time.",
};
