/**
 * The `twilio` adapter: the call goes through a room at Twilio, by Twilio's SDK, which is fetched only now.
 *
 * What the two send is told by our own socket (`media`), as with every adapter; here are only the tracks. Whatever goes wrong ends
 * in one word to the server, `failed`, which then puts the call between the two browsers.
 *
 * @import {RemoteParticipant, RemoteTrack, RemoteTrackPublication, Room} from "twilio-video"
 * @import {CarriedByTwilio, SessionEvent} from "../events.js"
 * @import {Line, Quality, RoomAdapter, RoomListener} from "./adapter.js"
 */

import { loadSdk, within } from "./twilio_sdk.js";

/** @type {Line[]} */
const LINES = ["microphone", "camera", "screen"];
// The SDK itself gives up after 15 s, and nobody waits so long for a call to begin.
const CONNECT_MS = 8_000;
// A track that Twilio did not take is offered again after so long: the button says that the other hears or sees it.
const OFFER_AGAIN_MS = 3_000;
// Twilio's error codes: the token ran out before it was used; this person came in from another page.
const TOKEN_EXPIRED = 20104;
const DUPLICATE_IDENTITY = 53205;

/** @implements {RoomAdapter} */
export class TwilioAdapter {
  /** @type {"carried_by_twilio"} */
  kind = "carried_by_twilio";
  #listener;
  #sdk;
  #failed;
  #fresh;
  /** @type {CarriedByTwilio | null} */
  #carrier = null;
  /** @type {AbortController | null} the connecting that is on its way */
  #attempt = null;
  /** @type {Room | null} */
  #room = null;
  /** @type {RemoteParticipant | null} */
  #other = null;
  // Whether the other side says that it sends nothing, so that there is nothing to wait for.
  #otherSilent = false;
  /** @type {Map<Line, MediaStreamTrack>} what is to be sent */
  #tracks = new Map();
  /** @type {Map<Line, MediaStreamTrack>} what was given to the room */
  #published = new Map();
  #names = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #offerAgain;
  #closed = false;

  /**
   * @param {RoomListener} listener
   * @param {object} setting
   * @param {string} setting.sdk where the SDK is; "" if the page came without
   * @param {(reason: string) => void} setting.failed the room cannot be reached
   * @param {() => Promise<void>} setting.fresh resolves once `useCarrier` was given a fresh token, or there is none to be had
   */
  constructor(listener, { sdk, failed, fresh }) {
    this.#listener = listener;
    this.#sdk = sdk;
    this.#failed = failed;
    this.#fresh = fresh;
  }

  /** @param {CarriedByTwilio} carrier */
  useCarrier(carrier) {
    const another = this.#carrier?.room !== carrier.room;
    this.#carrier = carrier;
    // A fresh token for the room we are in is kept for the next connecting: the SDK cannot change it while connected.
    if (another || (!this.#room && !this.#attempt)) void this.#connect();
  }

  /** @param {SessionEvent} event */
  hear(event) {
    if (event.type !== "media_state") return;
    this.#otherSilent = !event.microphone && !event.camera && !event.screen;
    this.#tell();
  }

  /**
   * @param {Line} line
   * @param {MediaStreamTrack | null} track
   */
  send(line, track) {
    if (track) this.#tracks.set(line, track);
    else this.#tracks.delete(line);
    this.#publish();
  }

  close() {
    this.#closed = true;
    this.#leave();
  }

  // --- coming and going ---

  /** @param {boolean} [again] whether this is the second try, with a fresh token */
  async #connect(again = false) {
    this.#leave();
    const attempt = (this.#attempt = new AbortController());
    this.#tell();
    try {
      const room = await this.#enter(attempt.signal);
      if (attempt.signal.aborted) {
        room.disconnect();
        return;
      }
      this.#attempt = null;
      this.#entered(room);
    } catch (problem) {
      if (attempt.signal.aborted) return;
      this.#attempt = null;
      if (codeOf(problem) === TOKEN_EXPIRED && !again) {
        await this.#fresh();
        if (this.#isOut()) void this.#connect(true);
        return;
      }
      this.#tell();
      this.#failed(reasonOf(problem));
    }
  }

  /**
   * @param {AbortSignal} signal aborted when nobody wants to enter any more
   * @returns {Promise<Room>}
   */
  async #enter(signal) {
    const { connect, isSupported } = await loadSdk(this.#sdk);
    signal.throwIfAborted();
    if (!isSupported) throw new Error("This browser cannot do calls through Twilio");
    const { token = "", room = "" } = this.#carrier ?? {};
    const connecting = connect(token, {
      name: room,
      // None: without this the SDK would open camera and microphone by itself.
      tracks: [],
      networkQuality: { local: 1, remote: 0 },
      // Nothing about a call goes to a place it does not need to go to.
      insights: false,
    });
    signal.addEventListener("abort", () => connecting.cancel());
    try {
      return await within(CONNECT_MS, connecting);
    } catch (problem) {
      connecting.cancel();
      throw problem;
    }
  }

  /** @param {Room} room */
  #entered(room) {
    this.#room = room;
    room.on("participantConnected", (participant) => this.#meet(participant));
    room.on("participantDisconnected", (participant) => this.#part(participant));
    room.on("trackSubscribed", (track, publication) => this.#received(track, publication));
    room.on("participantReconnecting", () => this.#tell());
    room.on("participantReconnected", () => this.#tell());
    room.on("reconnecting", () => this.#tell());
    room.on("reconnected", () => {
      this.#publish();
      this.#tell();
    });
    room.on("disconnected", (_, error) => void this.#lost(room, error));
    room.localParticipant.on("networkQualityLevelChanged", (level) => this.#listener.onQuality(qualityOf(level)));
    // Twilio keeps a page that vanishes without a word for half a minute.
    addEventListener("pagehide", this.#vanish);
    for (const participant of room.participants.values()) this.#meet(participant);
    this.#publish();
    this.#tell();
  }

  #vanish = () => void this.#room?.disconnect();

  /**
   * Thrown out of the room, or cut off from it for longer than the SDK waits.
   *
   * @param {Room} room
   * @param {Error | undefined} error
   */
  async #lost(room, error) {
    if (this.#room !== room) return;
    this.#leave();
    this.#tell();
    // In from another tab: our own socket says so too, and what then happens is the room's business.
    if (codeOf(error) === DUPLICATE_IDENTITY) return;
    // The token may be older than it holds.
    await this.#fresh();
    if (this.#isOut()) void this.#connect();
  }

  /** Whether nothing has happened that takes the call elsewhere while something was waited for. */
  #isOut() {
    return !this.#closed && !this.#room && !this.#attempt;
  }

  #leave() {
    this.#attempt?.abort();
    const room = this.#room;
    this.#attempt = this.#room = this.#other = null;
    this.#published.clear();
    clearTimeout(this.#offerAgain);
    removeEventListener("pagehide", this.#vanish);
    room?.removeAllListeners();
    room?.localParticipant.removeAllListeners();
    room?.disconnect();
  }

  // --- the other side ---

  /** @param {RemoteParticipant} participant */
  #meet(participant) {
    // A page reloaded may be here before the one it was is gone: the newest counts.
    this.#other = participant;
    for (const publication of participant.tracks.values()) {
      if (publication.track) this.#received(publication.track, publication);
    }
    this.#tell();
  }

  /** @param {RemoteParticipant} participant */
  #part(participant) {
    if (this.#other !== participant) return;
    this.#other = [...(this.#room?.participants.values() ?? [])].find((one) => one !== participant) ?? null;
    this.#tell();
  }

  /**
   * @param {RemoteTrack} track
   * @param {RemoteTrackPublication} publication
   */
  #received(track, { trackName }) {
    const line = LINES.find((one) => trackName.startsWith(`${one}-`));
    if (line && track.kind !== "data" && "mediaStreamTrack" in track) this.#listener.onTrack(line, track.mediaStreamTrack);
    this.#tell();
  }

  #tell() {
    if (!this.#closed) this.#listener.onConnection(this.#connection());
  }

  #connection() {
    const [room, other] = [this.#room, this.#other];
    if (!room) return this.#attempt ? "connecting" : "interrupted";
    if (room.state === "reconnecting" || other?.state === "reconnecting") return "interrupted";
    if (!other) return "alone";
    // Connected counts as a call that works, which is paid for: something of theirs must have come, if they send anything.
    const comes = [...other.tracks.values()].some(({ track }) => track);
    return comes || this.#otherSilent ? "connected" : "connecting";
  }

  // --- what is sent ---

  /** Make what the room was given what is to be sent. */
  #publish() {
    const me = this.#room?.localParticipant;
    if (!me) return;
    for (const line of LINES) {
      const [wanted, given] = [this.#tracks.get(line), this.#published.get(line)];
      if (wanted === given) continue;
      this.#published.delete(line);
      if (given) me.unpublishTrack(given);
      if (!wanted) continue;
      this.#published.set(line, wanted);
      // Never the same name twice: nobody is told when Twilio has forgotten the track before, and till then the name is taken.
      me.publishTrack(wanted, { name: `${line}-${(this.#names += 1)}` }).catch((problem) => this.#notPublished(line, wanted, problem));
    }
  }

  /**
   * @param {Line} line
   * @param {MediaStreamTrack} track
   * @param {unknown} problem
   */
  #notPublished(line, track, problem) {
    if (this.#published.get(line) !== track) return; // taken back in the meantime
    this.#published.delete(line);
    console.warn(`Twilio did not take the ${line}`, problem);
    clearTimeout(this.#offerAgain);
    this.#offerAgain = setTimeout(() => this.#publish(), OFFER_AGAIN_MS);
  }
}

/**
 * Return Twilio's level of a network, 0 (broken) to 5, in our words.
 * @param {number | null} level null while it is not known
 * @returns {Quality}
 */
export function qualityOf(level) {
  if (level === null) return "unknown";
  if (level <= 2) return "poor";
  return level === 3 ? "fair" : "good";
}

/** @param {unknown} problem */
function codeOf(problem) {
  return problem instanceof Error && "code" in problem ? problem.code : undefined;
}

/** @param {unknown} problem */
function reasonOf(problem) {
  const text = problem instanceof Error ? problem.message : String(problem);
  const code = codeOf(problem);
  return (code === undefined ? text : `${text} (${code})`).slice(0, 200);
}
