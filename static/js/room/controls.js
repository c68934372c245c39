/**
 * Microphone, camera and screen: the buttons, and what is sent because of them.
 *
 * @import {Media} from "../events.js"
 * @import {LocalMedia} from "../lib/local_media.js"
 * @import {RoomAdapter} from "./adapter.js"
 * @import {Notes} from "./notes.js"
 */

import { act, toShow } from "../lib/device_problems.js";
import { NONE, remember, remembered } from "../lib/devices.js";
import { need, say, show } from "../lib/dom.js";
import { watchMutedTalk } from "./muted_talk.js";

/** @typedef {Omit<Media, "type">} Sends what this page sends now */

/** @type {("microphone" | "camera")[]} */
const SOURCES = ["microphone", "camera"];
const SAID_MS = 12_000;

/** The buttons in `[data-controls]`. Remembers for this tab what was switched off, so that a reload switches nothing on. */
export class Controls {
  /** @type {RoomAdapter | null} */
  #adapter = null;
  #inCall = false;
  /** @type {MediaStreamTrack | null} */
  #screen = null;
  #off;
  #resting = false;
  /** @type {MediaStreamTrack | null} the muted microphone that is listened to */
  #watched = null;
  #stopWatching = () => {};

  /**
   * @param {HTMLElement} root
   * @param {object} setting
   * @param {LocalMedia} setting.media
   * @param {Notes} setting.notes
   * @param {string} setting.session
   * @param {(sends: Sends) => void} setting.changed what is sent changed
   * @param {AbortSignal} setting.signal
   */
  constructor(root, { media, notes, session, changed, signal }) {
    this.media = media;
    this.notes = notes;
    this.changed = changed;
    this.key = `hopps.off.${session}`;
    /** @type {{microphone: boolean, camera: boolean, chatOnly: boolean}} */
    this.#off = { microphone: false, camera: false, chatOnly: false, ...JSON.parse(sessionStorage.getItem(this.key) ?? "{}") };
    this.buttons = {
      microphone: need(root, "[data-microphone]", HTMLButtonElement),
      camera: need(root, "[data-camera]", HTMLButtonElement),
      screen: need(root, "[data-screen]", HTMLButtonElement),
    };
    this.buttons.microphone.addEventListener("click", () => this.toggle("microphone"), { signal });
    this.buttons.camera.addEventListener("click", () => this.toggle("camera"), { signal });
    this.buttons.screen.addEventListener("click", () => this.toggleScreen(), { signal });
    media.addEventListener("change", () => this.#apply(), { signal });
    media.addEventListener("swapped", (event) => this.#say(event instanceof CustomEvent ? event.detail : ""), { signal });
    const canShare = navigator.mediaDevices && "getDisplayMedia" in navigator.mediaDevices;
    this.buttons.screen.hidden = !canShare;
    show(root, "[data-no-screen]", !canShare);
  }

  /** @returns {Sends} */
  get sends() {
    const { microphone, camera } = this.media.tracks;
    return {
      // A phone call takes the microphone away without ending it: then it is muted by the system.
      microphone: Boolean(microphone?.enabled && !microphone.muted),
      camera: camera !== null && !this.#resting,
      screen: this.#screen !== null,
      has_microphone: this.#has("microphone"),
      has_camera: this.#has("camera"),
      weak_line: camera !== null && this.#resting,
    };
  }

  /** This person's shared screen, if any. */
  get screen() {
    return this.#screen;
  }

  /**
   * Open the devices that are wanted.
   * @param {boolean} [chatOnly] with neither camera nor microphone; if not given, as it was before a reload
   */
  start(chatOnly = this.#off.chatOnly) {
    if (chatOnly !== this.#off.chatOnly) this.#remember({ microphone: chatOnly, camera: chatOnly, chatOnly });
    this.#inCall = true;
    if (this.#off.camera) this.media.hold("camera");
    if (this.#off.chatOnly) this.media.hold("microphone");
    this.#apply();
    void this.media.open();
  }

  /**
   * Send over `adapter` from now on; devices that are not open yet follow as soon as they are.
   * @param {RoomAdapter} adapter
   */
  attach(adapter) {
    this.#adapter = adapter;
    this.#apply();
  }

  /** Send nothing any more, and switch every device off. */
  detach() {
    this.#adapter = null;
    this.#inCall = false;
    this.#resting = false;
    this.#stopScreen();
    this.media.closeAll();
    this.notes.clear();
  }

  /**
   * Keep the camera's picture back while the line is too weak for it, or send it again.
   * @param {boolean} resting
   */
  rest(resting) {
    if (resting === this.#resting) return;
    this.#resting = resting;
    this.#apply();
  }

  /** @param {"microphone" | "camera"} source switched off, or on */
  async toggle(source) {
    // A camera that rests is on all the same.
    const on = source === "camera" ? this.media.tracks.camera !== null : this.sends.microphone;
    this.#remember({ ...this.#off, [source]: on, chatOnly: false });
    if (on && source === "camera") this.media.hold("camera");
    if (!on) {
      this.media.release(source);
      // Whoever joined without it and now wants it, wants it.
      if (remembered()[source] === NONE) remember(source, "");
      this.#apply();
      await this.media.open([source]);
    }
    this.#apply();
  }

  /** Share the screen, or stop sharing it. */
  async toggleScreen() {
    if (this.#screen) {
      this.#stopScreen();
      return;
    }
    try {
      const stream = await navigator.mediaDevices.getDisplayMedia({ video: { frameRate: { ideal: 15, max: 30 } }, audio: false });
      const [track] = stream.getVideoTracks();
      if (!track) return;
      if (!this.#inCall) {
        track.stop(); // the call ended while the person was choosing
        return;
      }
      // Text must stay sharp; fewer frames are no loss.
      track.contentHint = "detail";
      // Stopped in the browser's own bar, or the shared window was closed.
      track.onended = () => this.#stopScreen();
      this.#screen = track;
      this.#apply();
    } catch (reason) {
      const name = reason instanceof DOMException ? reason.name : "";
      // The person closed the browser's dialog, or the system does not let this browser record the screen.
      if (name === "NotAllowedError") return;
      this.#say("The screen could not be shared. Try again, or share another window.");
    }
  }

  #stopScreen() {
    this.#screen?.stop();
    this.#screen = null;
    this.#apply();
  }

  /** @param {{microphone: boolean, camera: boolean, chatOnly: boolean}} off */
  #remember(off) {
    this.#off = off;
    sessionStorage.setItem(this.key, JSON.stringify(off));
  }

  /** @param {"microphone" | "camera"} source */
  #has(source) {
    return !this.#off.chatOnly && !this.media.problems[source] && remembered()[source] !== NONE;
  }

  #apply() {
    const { microphone, camera } = this.media.tracks;
    if (microphone) microphone.enabled = !this.#off.microphone;
    this.#adapter?.send("microphone", microphone);
    this.#adapter?.send("camera", this.#resting ? null : camera);
    this.#adapter?.send("screen", this.#screen);
    const { microphone: speaks, screen } = this.sends;
    name(this.buttons.microphone, speaks, ["Mute microphone", "Mute"], ["Unmute microphone", "Unmute"]);
    name(this.buttons.camera, camera !== null, ["Turn camera off", "Camera"], ["Turn camera on", "Camera"]);
    name(this.buttons.screen, screen, ["Stop sharing", "Stop"], ["Share screen", "Share"]);
    this.buttons.microphone.classList.toggle("control-off", !speaks);
    this.buttons.camera.classList.toggle("control-off", camera === null);
    this.buttons.screen.classList.toggle("control-on", screen);
    this.#watch(this.#inCall && microphone && !microphone.enabled ? microphone : null);
    if (!this.#inCall) return;
    for (const source of SOURCES) this.#note(source);
    this.changed(this.sends);
  }

  /** @param {"microphone" | "camera"} source */
  #note(source) {
    const problem = toShow(this.media.problems)[source];
    if (problem) {
      const run = async () => this.#say(await act(problem, () => void this.media.open()));
      this.notes.set(source, { sentence: problem.sentence, label: problem.label, run });
    } else if (source === "microphone" && this.media.tracks.microphone?.muted) {
      this.notes.set(source, { sentence: "Your microphone is taken, by a phone call perhaps. It comes back when that is over." });
    } else {
      this.notes.set(source, null);
    }
  }

  /** @param {MediaStreamTrack | null} muted */
  #watch(muted) {
    if (muted === this.#watched) return;
    this.#watched = muted;
    this.#stopWatching();
    this.#stopWatching = () => {};
    this.notes.set("muted", null);
    if (!muted) return;
    const note = { sentence: "You are muted: nobody hears you.", label: "Unmute", run: () => void this.toggle("microphone") };
    this.#stopWatching = watchMutedTalk(muted, (speaking) => this.notes.set("muted", speaking ? note : null));
  }

  /** @param {string} sentence that is over with soon */
  #say(sentence) {
    if (this.#inCall && sentence) this.notes.set("said", { sentence, lasts: SAID_MS });
  }
}

/**
 * Name a button by what pressing it does.
 * @param {HTMLButtonElement} button
 * @param {boolean} on
 * @param {[full: string, short: string]} whenOn
 * @param {[full: string, short: string]} whenOff
 */
function name(button, on, whenOn, whenOff) {
  const [full, short] = on ? whenOn : whenOff;
  button.setAttribute("aria-label", full);
  button.title = full;
  say(button.querySelector("[data-label]"), short);
}
