/** This person's own camera and microphone: opened once, looked at by the device check, sent by the room. */

import { NONE, isAllowed, openDevices, remember, remembered } from "./devices.js";

/** @import {Opened, Source} from "./devices.js" */

/** @type {Source[]} */
const SOURCES = ["camera", "microphone"];

/** Tells of every change with a "change" event. */
export class LocalMedia extends EventTarget {
  /** @type {Record<Source, MediaStreamTrack | null>} */
  tracks = { camera: null, microphone: null };
  /** @type {Record<Source, string>} a sentence for the person where a device did not open */
  problems = { camera: "", microphone: "" };
  /** @type {Promise<void>} devices are opened one request after the other */
  #queue = Promise.resolve();

  /**
   * Whether this person has not chosen to do without it.
   * @param {Source} source
   */
  wants(source) {
    return remembered()[source] !== NONE;
  }

  /**
   * Open the given devices that are wanted and not open yet.
   * @param {Source[]} sources
   * @returns {Promise<void>}
   */
  open(sources = SOURCES) {
    this.#queue = this.#queue.then(async () => {
      const closed = sources.filter((source) => this.wants(source) && this.tracks[source]?.readyState !== "live");
      if (!closed.length) return;
      const opened = await openDevices(closed);
      for (const source of closed) this.#keep(source, opened[source]);
      this.#changed();
    });
    return this.#queue;
  }

  /** Open what was allowed before, so that nobody is asked out of the blue. */
  async openAllowed() {
    const allowed = await Promise.all(SOURCES.map(isAllowed));
    await this.open(SOURCES.filter((_, place) => allowed[place]));
  }

  /**
   * Change to another device, or to none.
   * @param {Source} source
   * @param {string} id a device id, "" for the system's own, `NONE` for without
   */
  async choose(source, id) {
    remember(source, id);
    this.close(source);
    await this.open([source]);
  }

  /**
   * Switch a device off: its light goes out.
   * @param {Source} source
   */
  close(source) {
    this.tracks[source]?.stop();
    this.tracks[source] = null;
    this.problems[source] = "";
    this.#changed();
  }

  /** Switch everything off. */
  closeAll() {
    for (const source of SOURCES) this.close(source);
  }

  /**
   * @param {Source} source
   * @param {Opened} opened
   */
  #keep(source, { track, problem }) {
    this.tracks[source] = track;
    this.problems[source] = problem;
    if (!track) return;
    // Unplugged, or taken by a phone call: another one, or the same again, may be there.
    track.onended = () => {
      if (this.tracks[source] !== track) return;
      this.tracks[source] = null;
      void this.open([source]);
    };
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}
