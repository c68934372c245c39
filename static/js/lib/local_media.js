/** This person's own camera and microphone: opened once, looked at by the device check, sent by the room. */

import { NONE, isAllowed, listDevices, openDevices, remember, remembered } from "./devices.js";

/** @import {Opened} from "./devices.js" */
/** @import {Problem, Source} from "./device_problems.js" */

/** @type {Source[]} */
const SOURCES = ["camera", "microphone"];

/**
 * Tells of every change with a "change" event, and of a change nobody here asked for (a device unplugged or back) with a
 * "swapped" event whose detail is a sentence.
 */
export class LocalMedia extends EventTarget {
  /** @type {Record<Source, MediaStreamTrack | null>} */
  tracks = { camera: null, microphone: null };
  /** @type {Record<Source, Problem | null>} why a device did not open */
  problems = { camera: null, microphone: null };
  /** @type {Set<Source>} switched off for now: not opened by anything but `release` */
  #held = new Set();
  /** @type {Set<Source>} stand-ins for a chosen device that is gone */
  #standIns = new Set();
  /** @type {Promise<void>} devices are opened one request after the other */
  #queue = Promise.resolve();
  // Until everything is switched off. What was asked for before that is not on after it, however long a browser's question stood.
  #use = new AbortController();

  constructor() {
    super();
    navigator.mediaDevices?.addEventListener("devicechange", () => this.#devicesChanged());
    for (const source of SOURCES) void this.#watchPermission(source);
  }

  /**
   * Whether this person wants it open: has not chosen to do without it, nor switched it off.
   * @param {Source} source
   */
  wants(source) {
    return remembered()[source] !== NONE && !this.#held.has(source);
  }

  /**
   * Open the given devices that are wanted and not open yet.
   * @param {Source[]} sources
   * @returns {Promise<void>}
   */
  open(sources = SOURCES) {
    return this.#next(async (signal) => {
      const closed = sources.filter((source) => this.wants(source) && this.tracks[source]?.readyState !== "live");
      if (!closed.length) return;
      const opened = await openUnless(closed, signal);
      for (const source of closed) this.#keep(source, opened[source]);
      this.#changed();
    });
  }

  /** Open what was allowed before, so that nobody is asked out of the blue. */
  async openAllowed() {
    const { signal } = this.#use;
    const allowed = await Promise.all(SOURCES.map(isAllowed));
    if (!signal.aborted) await this.open(SOURCES.filter((_, place) => allowed[place]));
  }

  /**
   * Change to another device, or to none. What is on stays on until the other one is.
   * @param {Source} source
   * @param {string} id a device id, "" for the system's own, `NONE` for without
   * @returns {Promise<void>}
   */
  choose(source, id) {
    remember(source, id);
    this.#standIns.delete(source);
    if (!this.wants(source)) {
      this.close(source);
      return Promise.resolve();
    }
    return this.#next(async (signal) => {
      const old = this.tracks[source];
      let opened = (await openUnless([source], signal))[source];
      if (!opened.track && old) {
        // Some systems have one camera or microphone open at a time only: the old one makes room.
        old.stop();
        opened = (await openUnless([source], signal))[source];
        if (!opened.track) opened = await this.#backTo(source, old, opened, signal);
      }
      this.#keep(source, opened);
      if (old && old !== opened.track) old.stop();
      this.#changed();
    });
  }

  /**
   * Switch a device off, for as long as `release` is not called: its light goes out.
   * @param {Source} source
   */
  hold(source) {
    this.#held.add(source);
    this.close(source);
  }

  /** @param {Source} source may be opened again */
  release(source) {
    this.#held.delete(source);
  }

  /**
   * Switch a device off: its light goes out.
   * @param {Source} source
   */
  close(source) {
    this.tracks[source]?.stop();
    this.tracks[source] = null;
    this.problems[source] = null;
    this.#changed();
  }

  /** Switch everything off, what is just opening too; what was held is so no more. */
  closeAll() {
    this.#use.abort();
    this.#use = new AbortController();
    this.#held.clear();
    this.#standIns.clear();
    for (const source of SOURCES) this.close(source);
  }

  /** @param {(signal: AbortSignal) => Promise<void>} step aborted, and thrown out of, once everything is switched off */
  #next(step) {
    const { signal } = this.#use;
    this.#queue = this.#queue.then(async () => {
      try {
        if (!signal.aborted) await step(signal);
      } catch (problem) {
        if (problem !== signal.reason) throw problem;
      }
    });
    return this.#queue;
  }

  /**
   * @param {Source} source
   * @param {Opened} opened
   */
  #keep(source, { track, problem }) {
    this.problems[source] = problem;
    if (track && !this.wants(source)) {
      track.stop(); // switched off while it was opening
      track = null;
    }
    this.tracks[source] = track;
    if (!track) return;
    // A phone call takes the microphone for a while, and gives it back.
    track.onmute = track.onunmute = () => this.#changed();
    track.onended = () => void this.#lost(source, track);
  }

  /**
   * Unplugged, or forbidden: another one may be there, or the same again.
   * @param {Source} source
   * @param {MediaStreamTrack} track
   */
  async #lost(source, track) {
    if (this.tracks[source] !== track) return;
    this.tracks[source] = null;
    await this.open([source]);
    const { [source]: other } = this.tracks;
    if (!other) return;
    this.#standIns.add(source);
    this.#swapped(`Your ${source} is gone: ${track.label || "it"} stopped. ${other.label || "Another one"} is used now.`);
  }

  /**
   * The device that was chosen does not start: the one that worked goes on.
   * @param {Source} source
   * @param {MediaStreamTrack} old
   * @param {Opened} failed
   * @param {AbortSignal} signal
   * @returns {Promise<Opened>}
   */
  async #backTo(source, old, failed, signal) {
    const { deviceId = "" } = old.getSettings();
    remember(source, deviceId);
    const again = (await openUnless([source], signal))[source];
    if (!again.track) return failed;
    this.#swapped(`That ${source} did not start. ${again.track.label || "The one before"} is still used.`);
    return again;
  }

  /** Something was plugged in or out. */
  async #devicesChanged() {
    this.#changed(); // whoever sounds through a speaker looks whether it is still there
    for (const source of SOURCES) {
      if (this.problems[source]?.kind === "missing" && (await isAllowed(source))) await this.open([source]);
      const chosen = remembered()[source];
      if (!this.#standIns.has(source) || !chosen) continue;
      const back = (await listDevices(source)).find(({ id }) => id === chosen);
      if (!back) continue;
      await this.choose(source, chosen);
      this.#swapped(`${back.label} is back, and used again.`);
    }
  }

  /**
   * Allowed beside the page's address: then there is nothing left to press here.
   * @param {Source} source
   */
  async #watchPermission(source) {
    try {
      const permission = await navigator.permissions.query({ name: /** @type {PermissionName} */ (source) });
      permission.onchange = () => {
        if (permission.state === "granted" && this.problems[source]) void this.open([source]);
      };
    } catch {
      // A browser that does not tell: there is the button.
    }
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }

  /** @param {string} sentence */
  #swapped(sentence) {
    this.dispatchEvent(new CustomEvent("swapped", { detail: sentence }));
  }
}

/**
 * Open devices, unless `signal` aborts: what opens after that goes off again at once.
 * @param {Source[]} sources
 * @param {AbortSignal} signal
 * @returns {Promise<Record<Source, Opened>>}
 */
async function openUnless(sources, signal) {
  const opened = await openDevices(sources);
  if (signal.aborted) for (const source of sources) opened[source].track?.stop();
  signal.throwIfAborted();
  return opened;
}
