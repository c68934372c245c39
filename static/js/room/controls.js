/**
 * Microphone, camera and screen: the buttons, and what is sent because of them.
 *
 * @import {LocalMedia} from "../lib/local_media.js"
 * @import {Line, RoomAdapter} from "./adapter.js"
 */

import { NONE, remember, remembered } from "../lib/devices.js";
import { need, say, show } from "../lib/dom.js";

/** @typedef {Record<Line, boolean>} Sends what this page sends now */

/** The buttons in `[data-controls]`. Remembers for this tab what was switched off, so that a reload switches nothing on. */
export class Controls {
  /** @type {RoomAdapter | null} */
  #adapter = null;
  #inCall = false;
  /** @type {MediaStreamTrack | null} */
  #screen = null;
  #off;

  /**
   * @param {HTMLElement} root
   * @param {object} setting
   * @param {LocalMedia} setting.media
   * @param {string} setting.session
   * @param {(sends: Sends) => void} setting.changed what is sent changed
   * @param {(sentence: string) => void} setting.problem "" when there is none
   * @param {AbortSignal} setting.signal
   */
  constructor(root, { media, session, changed, problem, signal }) {
    this.media = media;
    this.changed = changed;
    this.problem = problem;
    this.key = `hopps.off.${session}`;
    /** @type {{microphone: boolean, camera: boolean}} */
    this.#off = { microphone: false, camera: false, ...JSON.parse(sessionStorage.getItem(this.key) ?? "{}") };
    this.buttons = {
      microphone: need(root, "[data-microphone]", HTMLButtonElement),
      camera: need(root, "[data-camera]", HTMLButtonElement),
      screen: need(root, "[data-screen]", HTMLButtonElement),
    };
    this.buttons.microphone.addEventListener("click", () => this.#toggle("microphone"), { signal });
    this.buttons.camera.addEventListener("click", () => this.#toggle("camera"), { signal });
    this.buttons.screen.addEventListener("click", () => this.#toggleScreen(), { signal });
    media.addEventListener("change", () => this.#apply(), { signal });
    const canShare = navigator.mediaDevices && "getDisplayMedia" in navigator.mediaDevices;
    this.buttons.screen.hidden = !canShare;
    show(root, "[data-no-screen]", !canShare);
  }

  /** @returns {Sends} */
  get sends() {
    const { microphone, camera } = this.media.tracks;
    return { microphone: Boolean(microphone?.enabled), camera: camera !== null, screen: this.#screen !== null };
  }

  /** Open the devices that are wanted. */
  start() {
    this.#inCall = true;
    if (this.#off.camera) this.media.close("camera");
    this.#apply();
    void this.media.open(this.#off.camera ? ["microphone"] : ["camera", "microphone"]);
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
    this.#stopScreen();
    this.media.closeAll();
  }

  /** @param {"microphone" | "camera"} source */
  async #toggle(source) {
    const on = this.sends[source];
    this.#off[source] = on;
    sessionStorage.setItem(this.key, JSON.stringify(this.#off));
    if (on && source === "camera") {
      this.media.close("camera");
    } else if (!on) {
      // Whoever joined without it and now wants it, wants it.
      if (remembered()[source] === NONE) remember(source, "");
      await this.media.open([source]);
    }
    this.#apply();
  }

  async #toggleScreen() {
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
      track.onended = () => this.#stopScreen();
      this.#screen = track;
      this.#apply();
    } catch (reason) {
      const name = reason instanceof DOMException ? reason.name : "";
      // The person closed the browser's dialog, or the system does not let this browser record the screen.
      if (name === "NotAllowedError") return;
      this.problem("The screen could not be shared. Try again, or share another window.");
    }
  }

  #stopScreen() {
    this.#screen?.stop();
    this.#screen = null;
    this.#apply();
  }

  #apply() {
    const { microphone, camera } = this.media.tracks;
    if (microphone) microphone.enabled = !this.#off.microphone;
    this.#adapter?.send("microphone", microphone);
    this.#adapter?.send("camera", camera);
    this.#adapter?.send("screen", this.#screen);
    const sends = this.sends;
    name(this.buttons.microphone, sends.microphone, ["Mute microphone", "Mute"], ["Unmute microphone", "Unmute"]);
    name(this.buttons.camera, sends.camera, ["Turn camera off", "Camera"], ["Turn camera on", "Camera"]);
    name(this.buttons.screen, sends.screen, ["Stop sharing", "Stop"], ["Share screen", "Share"]);
    this.buttons.microphone.classList.toggle("control-off", !sends.microphone);
    this.buttons.camera.classList.toggle("control-off", !sends.camera);
    this.buttons.screen.classList.toggle("control-on", sends.screen);
    if (!this.#inCall) return;
    this.problem([this.media.problems.microphone, this.media.problems.camera].filter(Boolean).join(" "));
    this.changed(sends);
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
