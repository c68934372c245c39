/**
 * What one sees of the call: the other's picture and screen, one's own, and how good the connection is.
 *
 * @import {MediaState} from "../events.js"
 * @import {Connection, Line, Quality, RoomListener} from "./adapter.js"
 * @import {Tile} from "./layout.js"
 */

import { remembered } from "../lib/devices.js";
import { find, need, say, show } from "../lib/dom.js";
import { arrange, expectation } from "./layout.js";
import { offerViews } from "./views.js";

/** @type {Record<Quality, [level: string, text: string]>} */
const QUALITIES = {
  unknown: ["0", "Connection: not known yet"],
  poor: ["1", "Connection: poor"],
  fair: ["3", "Connection: fair"],
  good: ["4", "Connection: good"],
};
/** @type {Tile[]} */
const TILES = ["camera", "screen", "own-camera", "own-screen"];

/** @implements {RoomListener} */
export class Stage {
  /** @type {Connection} */
  connection = "alone";
  /** @type {Quality} of what this page sends */
  outbound = "unknown";
  /** @type {Map<Line, MediaStreamTrack>} the other's */
  #tracks = new Map();
  /** @type {Omit<MediaState, "type" | "page"> | null} what the other sends, once told */
  #sends = null;
  #otherHere = true;
  /** @type {Tile | null} what the person wants to see large */
  #chosen = null;
  /** @type {ReadonlySet<Tile>} */
  #there = new Set();

  /**
   * @param {HTMLElement} root the `[data-stage]` element
   * @param {string} other the other's name
   * @param {() => void} changed the connection changed
   * @param {AbortSignal} signal
   */
  constructor(root, other, changed, signal) {
    this.root = root;
    this.other = other;
    this.changed = changed;
    this.tiles = Object.fromEntries(TILES.map((tile) => [tile, need(root, `[data-tile="${tile}"]`, HTMLElement)]));
    this.camera = need(root, "[data-remote-camera]", HTMLVideoElement);
    this.screen = need(root, "[data-remote-screen]", HTMLVideoElement);
    this.own = need(root, "[data-own]", HTMLVideoElement);
    this.ownScreen = need(root, "[data-own-screen]", HTMLVideoElement);
    need(root, "[data-unlock-sound]", HTMLButtonElement).addEventListener("click", () => this.#play(this.camera), { signal });
    for (const tile of TILES) find(root, `[data-tile="${tile}"] button`)?.addEventListener("click", () => this.#choose(tile), { signal });
    offerViews(root, () => (root.dataset.large === "screen" ? this.screen : this.camera), signal);
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

  /**
   * @param {Quality} quality
   * @param {Quality} outbound
   */
  onQuality(quality, outbound = quality) {
    this.outbound = outbound;
    const [level, text] = QUALITIES[quality];
    const bars = need(this.root, "[data-quality]", HTMLElement);
    bars.dataset.level = level;
    bars.setAttribute("aria-label", text);
    bars.title = text;
  }

  /** @param {MediaState} state what the other sends now */
  setSends(state) {
    this.#sends = state;
    this.#show();
  }

  /**
   * @param {MediaStreamTrack | null} camera one's own
   * @param {MediaStreamTrack | null} screen one's own, while it is shared
   */
  setOwn(camera, screen) {
    keepShowing(this.own, camera);
    keepShowing(this.ownScreen, screen);
    this.#show();
  }

  /** @param {boolean} here whether the server sees the other person in the room */
  setOtherHere(here) {
    if (this.#otherHere === here) return;
    this.#otherHere = here;
    this.#show();
  }

  /** Send the other's voice to the speaker chosen. */
  useSpeaker() {
    if (!("setSinkId" in this.camera)) return;
    const { camera } = this;
    // A speaker that was unplugged: the system's own goes on sounding.
    camera.setSinkId(remembered().speaker).catch(() => camera.setSinkId("").catch(() => undefined));
  }

  /** Nobody is on stage. */
  clear() {
    this.#tracks.clear();
    this.#sends = null;
    this.#chosen = null;
    this.camera.srcObject = this.screen.srcObject = null;
    this.onQuality("unknown");
    this.onConnection("alone");
  }

  /** @param {Tile} tile */
  #choose(tile) {
    const before = this.root.dataset.large;
    this.#chosen = tile;
    this.#show();
    // The button just pressed is gone: go on from the picture that made room.
    if (before) find(this.root, `[data-tile="${before}"] button`)?.focus();
  }

  #show() {
    /** @type {[Tile, boolean][]} */
    const all = [
      ["camera", this.#flows("camera")],
      ["screen", this.#flows("screen")],
      ["own-camera", this.own.srcObject !== null],
      ["own-screen", this.ownScreen.srcObject !== null],
    ];
    const there = new Set(all.filter(([, is]) => is).map(([tile]) => tile));
    // A screen that is newly shared is what the talk is about now.
    if (there.has("screen") && !this.#there.has("screen")) this.#chosen = null;
    this.#there = there;
    const { large, small, beside } = arrange(there, this.#chosen);
    for (const tile of TILES) {
      const element = this.tiles[tile];
      if (!element) continue;
      element.hidden = !there.has(tile);
      element.dataset.size = tile === large ? "large" : "small";
      show(element, "button", tile !== large);
    }
    this.root.dataset.large = large ?? "";
    this.root.dataset.beside = beside && small.length ? "yes" : "no";
    show(this.root, "[data-no-picture]", !large);
    show(this.root, "[data-other-muted]", this.#sends !== null && !this.#sends.microphone);
    show(this.root, "[data-other-dark]", this.#sends !== null && !this.#sends.camera);
    const expect = this.#sends && this.#otherHere ? expectation(this.other, this.#sends) : "";
    say(find(this.root, "[data-expect]"), expect);
    // Over a picture only what one must know to talk to each other.
    say(find(this.root, "[data-voiceless]"), large && !this.#sends?.has_microphone ? expect : "");
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

/**
 * @param {HTMLVideoElement} video
 * @param {MediaStreamTrack | null} track
 */
function keepShowing(video, track) {
  const [shown] = video.srcObject instanceof MediaStream ? video.srcObject.getVideoTracks() : [];
  if (shown !== (track ?? undefined)) video.srcObject = track && new MediaStream([track]);
}
