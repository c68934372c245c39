/** Cameras, microphones and speakers: what was chosen, what is there, and opening it. */

import { circumstances, nameOf, permissionOf, problemOf } from "./device_problems.js";

/** @import {Problem, Source} from "./device_problems.js" */
/** @typedef {{track: MediaStreamTrack | null, problem: Problem | null}} Opened one device: its track, or why there is none */

export const NONE = "none";
const REMEMBERED = "hopps.devices";

/** @type {Record<Source, {constraint: "video" | "audio", ask: MediaTrackConstraints}>} */
const SOURCES = {
  camera: { constraint: "video", ask: { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30 } } },
  microphone: { constraint: "audio", ask: { echoCancellation: true, noiseSuppression: true, autoGainControl: true } },
};

/**
 * The devices this person chose in this browser: a device id, "" for the system's own, `NONE` for without.
 * @returns {Record<Source | "speaker", string>}
 */
export function remembered() {
  const nothing = { camera: "", microphone: "", speaker: "" };
  try {
    return { ...nothing, ...JSON.parse(localStorage.getItem(REMEMBERED) ?? "{}") };
  } catch {
    return nothing; // storage switched off, or not ours
  }
}

/**
 * Remember a choice for the next time.
 * @param {Source | "speaker"} source
 * @param {string} id
 */
export function remember(source, id) {
  try {
    localStorage.setItem(REMEMBERED, JSON.stringify({ ...remembered(), [source]: id }));
  } catch {
    // Storage is switched off: the choice holds for this page.
  }
}

/**
 * Open the given devices, asking the person once for all of them.
 * @param {Source[]} sources
 * @returns {Promise<Record<Source, Opened>>} devices not asked for have neither track nor problem
 */
export async function openDevices(sources) {
  /** @type {Record<Source, Opened>} */
  const opened = { camera: { track: null, problem: null }, microphone: { track: null, problem: null } };
  if (!sources.length) return opened;
  try {
    const stream = await request(sources);
    for (const source of sources) opened[source].track = trackOf(stream, source);
  } catch (reason) {
    const [only, ...others] = sources;
    if (only && !others.length) {
      opened[only].problem = problemOf(only, reason, await circumstances(only));
    } else {
      await openEach(sources, reason, opened);
    }
  }
  return opened;
}

/**
 * Together they failed: find out which of them is at fault, and have the others.
 * @param {Source[]} sources
 * @param {unknown} reason why they failed together
 * @param {Record<Source, Opened>} opened filled here
 */
async function openEach(sources, reason, opened) {
  for (const source of sources) {
    // A person who just said no is not asked again, unless this one had been allowed before.
    if (nameOf(reason) === "NotAllowedError" && !(await isAllowed(source))) {
      opened[source].problem = problemOf(source, reason, await circumstances(source));
      continue;
    }
    try {
      opened[source].track = trackOf(await request([source]), source);
    } catch (own) {
      opened[source].problem = problemOf(source, own, await circumstances(source));
    }
  }
}

/**
 * Whether the person has allowed this before, so that opening it asks nothing.
 * @param {Source} source
 * @returns {Promise<boolean>}
 */
export async function isAllowed(source) {
  return (await permissionOf(source)) === "granted";
}

/**
 * @param {Source[]} sources
 * @returns {Promise<MediaStream>}
 */
async function request(sources) {
  const chosen = remembered();
  /** @param {boolean} exactly */
  const ask = (exactly) => {
    /** @type {MediaStreamConstraints} */
    const constraints = {};
    for (const source of sources) {
      const { constraint, ask } = SOURCES[source];
      const id = chosen[source];
      constraints[constraint] = exactly && id && id !== NONE ? { ...ask, deviceId: { exact: id } } : ask;
    }
    return navigator.mediaDevices.getUserMedia(constraints);
  };
  try {
    // Exactly: as a mere wish, a browser weighs it against the size of the picture and takes a sharper camera than the one chosen.
    return await ask(true);
  } catch (reason) {
    // A device that was unplugged since must not stand in the way of another.
    if (nameOf(reason) !== "OverconstrainedError") throw reason;
    return ask(false);
  }
}

/**
 * @param {MediaStream} stream
 * @param {Source} source
 * @returns {MediaStreamTrack | null}
 */
function trackOf(stream, source) {
  const [track] = source === "camera" ? stream.getVideoTracks() : stream.getAudioTracks();
  return track ?? null;
}

/**
 * The devices of one kind that can be chosen. Names are known only after the person allowed a device.
 * @param {Source | "speaker"} source
 * @returns {Promise<{id: string, label: string}[]>}
 */
export async function listDevices(source) {
  const kind = { camera: "videoinput", microphone: "audioinput", speaker: "audiooutput" }[source];
  const devices = (await navigator.mediaDevices?.enumerateDevices()) ?? [];
  return devices.filter((one) => one.kind === kind && one.deviceId && one.label).map((one) => ({ id: one.deviceId, label: one.label }));
}
