/** Cameras, microphones and speakers: opened with one plain sentence for each thing that can go wrong. */

/** @typedef {"camera" | "microphone"} Source */
/** @typedef {{track: MediaStreamTrack | null, problem: string}} Opened one device: its track, or why there is none */

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
  const opened = { camera: { track: null, problem: "" }, microphone: { track: null, problem: "" } };
  if (!sources.length) return opened;
  if (!navigator.mediaDevices) {
    const problem = "Camera and microphone work on https:// addresses only. You can still join, and use the chat.";
    for (const source of sources) opened[source].problem = problem;
    return opened;
  }
  try {
    const stream = await request(sources);
    for (const source of sources) opened[source].track = trackOf(stream, source);
  } catch (reason) {
    const [only, ...others] = sources;
    if (only && !others.length) {
      opened[only].problem = sentence(only, reason);
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
      opened[source].problem = sentence(source, reason);
      continue;
    }
    try {
      opened[source].track = trackOf(await request([source]), source);
    } catch (own) {
      opened[source].problem = sentence(source, own);
    }
  }
}

/**
 * Whether the person has allowed this before, so that opening it asks nothing.
 * @param {Source} source
 * @returns {Promise<boolean>}
 */
export async function isAllowed(source) {
  try {
    const permission = await navigator.permissions.query({ name: /** @type {PermissionName} */ (source) });
    return permission.state === "granted";
  } catch {
    return false; // a browser that does not tell
  }
}

/**
 * @param {Source[]} sources
 * @returns {Promise<MediaStream>}
 */
function request(sources) {
  const chosen = remembered();
  /** @type {MediaStreamConstraints} */
  const constraints = {};
  for (const source of sources) {
    const { constraint, ask } = SOURCES[source];
    const id = chosen[source];
    // `ideal`: a device that was unplugged since must not stand in the way of another.
    constraints[constraint] = id && id !== NONE ? { ...ask, deviceId: { ideal: id } } : ask;
  }
  return navigator.mediaDevices.getUserMedia(constraints);
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

/** @param {unknown} reason */
function nameOf(reason) {
  return reason instanceof DOMException || reason instanceof Error ? reason.name : "";
}

/** What a person can do without the device. */
const WITHOUT = {
  camera: "You can join without it.",
  microphone: "Without it the other person cannot hear you; there is the chat.",
  speaker: "Choose another one.",
};

/**
 * Return what to do about a device that did not open.
 * @param {Source | "speaker"} source
 * @param {unknown} reason
 * @returns {string}
 */
export function sentence(source, reason) {
  const without = WITHOUT[source];
  switch (nameOf(reason)) {
    case "NotAllowedError":
    case "SecurityError":
      return `This page may not use your ${source}. Allow it beside the page's address, then try again. ${without}`;
    case "NotFoundError":
    case "OverconstrainedError":
      return `No ${source} was found. Plug one in and try again. ${without}`;
    case "NotReadableError":
    case "AbortError":
      return `Another program is using your ${source}. Close it, then try again. ${without}`;
    default:
      return `Your ${source} did not start (${nameOf(reason) || "no reason given"}). ${without}`;
  }
}
