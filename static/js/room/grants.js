/** Grants for the room: one is asked for ahead, so that who presses "Join call" does not wait for it. */

import { Refused, post } from "../lib/forms.js";

// The server lets one in for 60 s; what is on its way is older than we know.
const HOLDS_MS = 40_000;

export class Grants {
  /** @type {Promise<string> | null} */
  #ahead = null;
  #askedAt = 0;

  /**
   * @param {HTMLFormElement} form the form of "Join call"
   * @param {AbortSignal} signal
   */
  constructor(form, signal) {
    this.form = form;
    // Whoever comes near the button may press it.
    for (const sign of ["pointerenter", "focusin"]) form.addEventListener(sign, () => this.prepare(), { signal });
  }

  /** Have a grant at hand for a while. */
  prepare() {
    if (this.#isFresh()) return;
    this.#askedAt = performance.now();
    const ahead = (this.#ahead = this.#ask());
    // Not what the person asked for: a refusal is told when they press.
    ahead.catch(() => (this.#ahead = this.#ahead === ahead ? null : this.#ahead));
  }

  /**
   * Return a grant, used by nobody yet.
   * @returns {Promise<string>}
   * @throws {Refused} with the server's sentence
   */
  async take() {
    const ahead = this.#isFresh() ? this.#ahead : null;
    this.#ahead = null;
    return ahead ?? this.#ask();
  }

  #isFresh() {
    return this.#ahead !== null && performance.now() - this.#askedAt < HOLDS_MS;
  }

  async #ask() {
    const { grant } = await post(this.form);
    if (typeof grant !== "string") throw new Refused("That did not work on our side. Try again in a moment.");
    return grant;
  }
}
