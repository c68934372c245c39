/** Whether two who are both there take too long to be connected. */

/** @import {Connection} from "./adapter.js" */

// By then two who can reach each other are connected, by a slow relay too.
const LATE_MS = 15_000;

export class Meeting {
  /** Whether they should have been connected by now. */
  late = false;
  // Whether they were, since they began to connect.
  #met = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /** @param {() => void} changed it is late now */
  constructor(changed) {
    this.changed = changed;
  }

  /** @param {Connection} connection of the media, as it has become */
  connection(connection) {
    // A line that is interrupted is one they had.
    if (connection !== "interrupted") this.#met = connection === "connected";
  }

  /** @param {boolean} bothThere whether this page is in the call, and the other there */
  see(bothThere) {
    if (!bothThere || this.#met) return this.stop();
    this.#timer ??= setTimeout(() => {
      this.late = true;
      this.changed();
    }, LATE_MS);
  }

  /** Wait no longer. */
  stop() {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.late = false;
  }
}
