/**
 * What one sees of the call: the other's picture and screen, one's own picture, and how good the connection is.
 *
 * @import {MediaState} from "../events.js"
 * @import {Connection, Line, Quality, RoomListener} from "./adapter.js"
 */

import { remembered } from "../lib/devices.js";
import { need, show } from "../lib/dom.js";

/** @type {Record<Quality, [level: string, text: string]>} */
const QUALITIES = {
  unknown: ["0", "Connection: not known yet"],
  poor: ["1", "Connection: poor"],
  fair: ["3", "Connection: fair"],
  good: ["4", "Connection: good"],
};

/** @implements {RoomListener} */
export class Stage {
  /** @type {Connection} */
  connection = "alone";
  /** @type {Map<Line, MediaStreamTrack>} the other's */
  #tracks = new Map();
  /** @type {Omit<MediaState, "type" | "page"> | null} what the other sends, once told */
  #sends = null;
  #otherHere = true;

  /**
   * @param {HTMLElement} root the `[data-stage]` element
   * @param {() => void} changed the connection changed
   * @param {AbortSignal} signal
   */
  constructor(root, changed, signal) {
    this.root = root;
    this.changed = changed;
    this.camera = need(root, "[data-remote-camera]", HTMLVideoElement);
    this.screen = need(root, "[data-remote-screen]", HTMLVideoElement);
    this.own = need(root, "[data-own]", HTMLVideoElement);
    need(root, "[data-unlock-sound]", HTMLButtonElement).addEventListener("click", () => this.#play(this.camera), { signal });
  }

  /**
   * @param {Line} line
   * @param {MediaStreamTrack} track
   */
  onTrack(line, track) {
    this.#tracks.set(line, track);
    // Until the other says what it sends, what flows tells.
    track.onmute = track.onunmute = () => this.#show();
    if (line === "screen") this.#attach(this.screen, [track]);
    else this.#attach(this.camera, [this.#tracks.get("microphone"), this.#tracks.get("camera")]);
    this.#show();
  }

  /** @param {Connection} connection */
  onConnection(connection) {
    this.connection = connection;
    this.root.dataset.link = connection;
    this.#show();
    this.changed();
  }

  /** @param {Quality} quality */
  onQuality(quality) {
    const [level, text] = QUALITIES[quality];
    const bars = need(this.root, "[data-quality]", HTMLElement);
    bars.dataset.level = level;
    bars.setAttribute("aria-label", text);
    bars.title = text;
  }

  /** @param {MediaState} state what the other sends now */
  setSends({ microphone, camera, screen }) {
    this.#sends = { microphone, camera, screen };
    this.#show();
  }

  /**
   * @param {MediaStreamTrack | null} camera one's own
   */
  setOwn(camera) {
    this.own.hidden = !camera;
    const [shown] = this.own.srcObject instanceof MediaStream ? this.own.srcObject.getVideoTracks() : [];
    if (shown !== (camera ?? undefined)) this.own.srcObject = camera && new MediaStream([camera]);
  }

  /** @param {boolean} here whether the server sees the other person in the room */
  setOtherHere(here) {
    if (this.#otherHere === here) return;
    this.#otherHere = here;
    this.#show();
  }

  /** Send the other's voice to the speaker chosen. */
  useSpeaker() {
    if ("setSinkId" in this.camera) {
      // A speaker that was unplugged: the system's own goes on sounding.
      this.camera.setSinkId(remembered().speaker).catch(() => undefined);
    }
  }

  /** Nobody is on stage. */
  clear() {
    this.#tracks.clear();
    this.#sends = null;
    this.camera.srcObject = this.screen.srcObject = null;
    this.onQuality("unknown");
    this.onConnection("alone");
  }

  #show() {
    const camera = this.#flows("camera");
    const screen = this.#flows("screen");
    this.camera.hidden = !camera;
    this.screen.hidden = !screen;
    this.root.dataset.remote = screen ? "screen" : camera ? "camera" : "none";
    show(this.root, "[data-no-picture]", !camera && !screen);
    show(this.root, "[data-other-muted]", this.#sends !== null && !this.#sends.microphone);
  }

  /** @param {"camera" | "screen"} line */
  #flows(line) {
    const track = this.#tracks.get(line);
    // Somebody who is gone leaves a still picture behind: better none.
    if (!this.#otherHere && this.connection !== "connected") return false;
    return track !== undefined && (this.#sends ? this.#sends[line] : !track.muted);
  }

  /**
   * @param {HTMLVideoElement} video
   * @param {(MediaStreamTrack | undefined)[]} tracks
   */
  #attach(video, tracks) {
    video.srcObject = new MediaStream(tracks.filter((track) => track !== undefined));
    this.useSpeaker();
    void this.#play(video);
  }

  /** @param {HTMLVideoElement} video */
  async #play(video) {
    try {
      await video.play();
      if (video === this.camera) show(this.root, "[data-unlock-sound]", false);
    } catch (problem) {
      // Sound is locked until a click, after a reload for instance; any other stop is followed by a new `play`.
      const locked = problem instanceof DOMException && problem.name === "NotAllowedError";
      if (locked) show(this.root, "[data-unlock-sound]", true);
    }
  }
}
