/**
 * Keeps the credentials for what carries the call fresh: asks for new ones at half of their time, and whenever a connection is
 * to be built anew.
 *
 * @import {Carrier} from "./adapter.js"
 */

// So long a connection to be restarted waits for fresh credentials, before it makes do with those it has.
const PATIENCE_MS = 2_000;

export class Renewal {
  #ask;
  #limited = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  /** @type {Set<() => void>} */
  #waiting = new Set();

  /** @param {() => boolean} ask ask the server for fresh ones; whether the question was handed over */
  constructor(ask) {
    this.#ask = ask;
  }

  /**
   * Credentials came: on joining, or because they were asked for.
   * @param {Carrier} carrier
   */
  came({ seconds }) {
    clearTimeout(this.#timer);
    this.#limited = seconds !== null;
    // At half their time: one that is late, or a socket that is away just then, leaves time enough. A page that comes back
    // into the room is given fresh ones in any case.
    if (seconds !== null) this.#timer = setTimeout(() => this.#ask(), (seconds * 1000) / 2);
    for (const go of [...this.#waiting]) go();
  }

  /**
   * Resolves when fresh credentials came, or cannot be had now.
   * @returns {Promise<void>}
   */
  fresh() {
    if (!this.#limited || !this.#ask()) return Promise.resolve();
    return new Promise((resolve) => {
      const go = () => {
        clearTimeout(patience);
        this.#waiting.delete(go);
        resolve();
      };
      const patience = setTimeout(go, PATIENCE_MS);
      this.#waiting.add(go);
    });
  }

  /** Nothing is carried any more. */
  stop() {
    clearTimeout(this.#timer);
    this.#limited = false;
    for (const go of [...this.#waiting]) go();
  }
}
