/**
 * The `peer` adapter: WebRTC between the two browsers, signalling over the session's socket.
 *
 * A peer is a page load of the other person, known by its id: a new id is a new connection, the same id again is the same page after
 * a gap. The socket may drop while media flows; nothing here ends a call because signalling is gone.
 *
 * @import {CarriedByPeer, SessionEvent} from "../events.js"
 * @import {Line, Quality, RoomAdapter, RoomListener} from "./adapter.js"
 */

import { readQuality } from "./quality.js";
import { keepTo, shareOf } from "./sender_rules.js";

/** @type {{line: Line, kind: "audio" | "video"}[]} the order of the m-lines, the same on both sides */
const LINES = [
  { line: "microphone", kind: "audio" },
  { line: "camera", kind: "video" },
  { line: "screen", kind: "video" },
];
const QUALITY_EVERY_MS = 3_000;
// Restarting ICE at every failure would use up a relay's ports: each try waits twice as long, up to 4 times;
// no longer, for a relay that is back after a minute must not wait for another.
const INTERRUPTED_MS = 3_000;
const FAILED_MS = 500;
const DOUBLINGS = 2;

/** @typedef {{description: RTCSessionDescriptionInit} | {candidate: RTCIceCandidateInit | null}} SignalData */
/** @typedef {(to: string, data: SignalData) => boolean} SendSignal */

/** @implements {RoomAdapter} */
export class PeerAdapter {
  /** @type {"carried_by_peer"} */
  kind = "carried_by_peer";
  #page;
  #listener;
  #sendSignal;
  /** @type {RTCConfiguration} */
  #configuration = {};
  #fresh;
  /** @type {PeerConnection | null} */
  #peer = null;
  /** @type {Map<Line, MediaStreamTrack>} */
  #tracks = new Map();
  /** @type {Promise<void>} signals are handled one after the other */
  #queue = Promise.resolve();

  /**
   * @param {string} page this page's id in the room
   * @param {RoomListener} listener
   * @param {SendSignal} sendSignal hand signalling to the other page; a lost one is made up for when either page comes back
   * @param {() => Promise<void>} [fresh] resolves once `useCarrier` was given fresh credentials, or there are none to be had
   */
  constructor(page, listener, sendSignal, fresh = () => Promise.resolve()) {
    this.#page = page;
    this.#listener = listener;
    this.#sendSignal = sendSignal;
    this.#fresh = fresh;
  }

  /** @param {CarriedByPeer} carrier */
  useCarrier(carrier) {
    this.#configuration = { iceServers: carrier.ice_servers, iceTransportPolicy: carrier.relay_only ? "relay" : "all" };
    this.#peer?.configure(this.#configuration);
  }

  /** @param {SessionEvent} event */
  hear(event) {
    if (event.type === "welcome") {
      const newest = event.peers.at(-1);
      if (newest) this.#meet(newest);
    } else if (event.type === "peer_joined") {
      this.#meet(event.page);
    } else if (event.type === "signal_from") {
      const peer = this.#peer;
      // From a page that was reloaded since, a signal has nothing to say any more.
      if (peer?.id !== event.page) return;
      const data = /** @type {SignalData} */ (event.data);
      this.#queue = this.#queue.then(() => peer.signal(data));
    }
  }

  /**
   * @param {Line} line
   * @param {MediaStreamTrack | null} track
   */
  send(line, track) {
    if (track) this.#tracks.set(line, track);
    else this.#tracks.delete(line);
    this.#peer?.send(line, track);
  }

  close() {
    this.#peer?.close();
    this.#peer = null;
  }

  /** The live connection's statistics, for tests and for people who look into a bad call. */
  async stats() {
    return this.#peer?.stats() ?? null;
  }

  /** @param {string} id */
  #meet(id) {
    if (this.#peer?.id === id) {
      this.#peer.seenAgain();
      return;
    }
    this.#peer?.close();
    this.#peer = new PeerConnection({
      id,
      // One side makes the lines and wins when both offer at once; which, both know from the ids.
      leads: this.#page > id,
      configuration: this.#configuration,
      fresh: this.#fresh,
      tracks: this.#tracks,
      listener: this.#listener,
      sendSignal: (data) => this.#sendSignal(id, data),
    });
  }
}

/** The connection to one page load of the other person. */
class PeerConnection {
  #pc;
  #fresh;
  #leads;
  #tracks;
  #listener;
  #sendSignal;
  /** @type {Map<Line, RTCRtpTransceiver> | null} */
  #lines = null;
  // Microphone and camera travel as one stream, so that lips and voice stay together.
  #stream = new MediaStream();
  #offering = false;
  #ignoring = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #recovery;
  #tries = 0;
  #quality;
  /** @type {Quality | null} by which the senders' shares were made */
  #shared = null;

  /**
   * @param {object} peer
   * @param {string} peer.id
   * @param {boolean} peer.leads
   * @param {RTCConfiguration} peer.configuration
   * @param {() => Promise<void>} peer.fresh resolves once `configure` was given fresh credentials, or there are none
   * @param {ReadonlyMap<Line, MediaStreamTrack>} peer.tracks what is sent now
   * @param {RoomListener} peer.listener
   * @param {(data: SignalData) => boolean} peer.sendSignal
   */
  constructor({ id, leads, configuration, fresh, tracks, listener, sendSignal }) {
    this.id = id;
    this.#fresh = fresh;
    this.#leads = leads;
    this.#tracks = tracks;
    this.#listener = listener;
    this.#sendSignal = sendSignal;
    const pc = (this.#pc = new RTCPeerConnection(configuration));
    pc.onnegotiationneeded = () => this.#offer();
    pc.onicecandidate = ({ candidate }) => this.#sendSignal({ candidate: candidate?.toJSON() ?? null });
    pc.ontrack = ({ transceiver, track }) => {
      const place = LINES[pc.getTransceivers().indexOf(transceiver)];
      if (place) listener.onTrack(place.line, track);
    };
    pc.onconnectionstatechange = () => this.#connectionChanged();
    this.#quality = setInterval(() => this.#readQuality(), QUALITY_EVERY_MS);
    listener.onConnection("connecting");
    if (leads) this.#makeLines();
  }

  /**
   * @param {Line} line
   * @param {MediaStreamTrack | null} track
   */
  send(line, track) {
    // The lines are there from the start: nothing is negotiated again.
    void this.#lines?.get(line)?.sender.replaceTrack(track);
  }

  /** The other page's socket is back: what was lost in the gap is sent again. */
  seenAgain() {
    if (this.#pc.connectionState === "connected") return;
    if (this.#pc.signalingState === "have-local-offer") this.#sendDescription();
    else if (this.#lines) this.#pc.restartIce();
  }

  /** @param {RTCConfiguration} configuration with fresh credentials, for the next restart */
  configure(configuration) {
    if (this.#pc.signalingState !== "closed") this.#pc.setConfiguration(configuration);
  }

  /** @param {SignalData} data */
  async signal(data) {
    try {
      if ("description" in data) await this.#describe(data.description);
      else await this.#addCandidate(data.candidate);
    } catch (problem) {
      // A connection closed meanwhile, or one that recovery will restart.
      if (this.#pc.signalingState !== "closed") console.warn("Signalling failed", problem);
    }
  }

  stats() {
    return this.#pc.getStats();
  }

  close() {
    clearTimeout(this.#recovery);
    clearInterval(this.#quality);
    this.#pc.onconnectionstatechange = null;
    this.#pc.close();
  }

  async #readQuality() {
    const { quality, outbound } = await readQuality(this.#pc);
    this.#listener.onQuality(quality, outbound);
    this.#share(outbound);
  }

  /** @param {Quality} quality the sound goes before the picture, the more so the poorer the line */
  #share(quality) {
    if (quality === this.#shared) return;
    this.#shared = quality;
    for (const [line, { sender }] of this.#lines ?? []) void keepTo(sender, shareOf(line, quality));
  }

  #makeLines() {
    this.#lines = new Map(
      LINES.map(({ line, kind }) => {
        const streams = line === "screen" ? [] : [this.#stream];
        return [line, this.#pc.addTransceiver(this.#tracks.get(line) ?? kind, { direction: "sendrecv", streams })];
      }),
    );
  }

  /** Take over the lines that the other side made. */
  #adoptLines() {
    if (this.#lines) return;
    this.#lines = new Map();
    for (const [place, transceiver] of this.#pc.getTransceivers().entries()) {
      const line = LINES[place]?.line;
      if (!line) continue;
      transceiver.direction = "sendrecv";
      if (line !== "screen") transceiver.sender.setStreams(this.#stream);
      this.#lines.set(line, transceiver);
      this.send(line, this.#tracks.get(line) ?? null);
    }
  }

  async #offer() {
    this.#offering = true;
    try {
      await this.#pc.setLocalDescription();
      this.#sendDescription();
    } catch (problem) {
      if (this.#pc.signalingState !== "closed") console.warn("Could not make an offer", problem);
    } finally {
      this.#offering = false;
    }
  }

  #sendDescription() {
    const description = this.#pc.localDescription;
    if (description) this.#sendSignal({ description: description.toJSON() });
  }

  /** @param {RTCSessionDescriptionInit} description */
  async #describe(description) {
    const pc = this.#pc;
    if (description.type === "answer" && pc.signalingState !== "have-local-offer") return; // sent twice
    const collision = description.type === "offer" && (this.#offering || pc.signalingState !== "stable");
    this.#ignoring = collision && this.#leads;
    if (this.#ignoring) return;
    await pc.setRemoteDescription(description); // takes one's own offer back where both offered
    if (description.type !== "offer") return;
    this.#adoptLines();
    await pc.setLocalDescription();
    this.#sendDescription();
  }

  /** @param {RTCIceCandidateInit | null} candidate */
  async #addCandidate(candidate) {
    try {
      await this.#pc.addIceCandidate(candidate ?? undefined);
    } catch (problem) {
      // A candidate of an offer that was ignored has nothing to belong to.
      if (!this.#ignoring) throw problem;
    }
  }

  #connectionChanged() {
    const state = this.#pc.connectionState;
    if (state === "connected") {
      clearTimeout(this.#recovery);
      this.#recovery = undefined;
      this.#tries = 0;
      this.#share("unknown");
      this.#listener.onConnection("connected");
    } else if (state === "disconnected" || state === "failed") {
      this.#listener.onConnection("interrupted");
      this.#recoverIn(state === "disconnected" ? INTERRUPTED_MS : FAILED_MS);
    }
  }

  /**
   * Restart ICE after a while, and again, ever more slowly, until media flows.
   * @param {number} wait
   */
  #recoverIn(wait) {
    if (this.#recovery !== undefined) return;
    // The side that does not lead gives the other the first go: both at once would collide.
    const turn = wait * 2 ** Math.min(this.#tries, DOUBLINGS) * (this.#leads ? 1 : 2);
    this.#recovery = setTimeout(async () => {
      this.#tries += 1;
      // A relay refuses a credential that ran out, and a restart would fail for nothing.
      await this.#fresh();
      this.#recovery = undefined;
      if (this.#pc.connectionState === "connected" || this.#pc.signalingState === "closed") return;
      this.seenAgain();
      this.#recoverIn(INTERRUPTED_MS);
    }, turn);
  }
}
