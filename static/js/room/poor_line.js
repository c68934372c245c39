/**
 * A poor line: when to say so, when to keep the camera back so that the sound stays clear, when to try it again. Rules only;
 * `LineWatch` asks them.
 *
 * @import {Quality} from "./adapter.js"
 */

/** Poor for this long before anybody is told: a hiccup is none of their business. */
export const TELL_MS = 6_000;
/** Poor for this long before the camera rests by itself. */
export const REST_MS = 15_000;
/** Good for this long before the camera is tried again; each try that fails doubles it. */
export const RETURN_MS = 20_000;
const LONGEST_RETURN_MS = 160_000;
/** The camera is back, and the line was not poor for this long: the next time begins anew. */
const FORGET_MS = 120_000;

/**
 * @typedef {object} State
 * @property {number | null} poorSince in ms; null: it is not
 * @property {number | null} goodSince
 * @property {boolean} resting whether the camera is kept back
 * @property {number} returnAfter how long the line must be good before the camera is tried
 */

/** @returns {State} */
export function calm() {
  return { poorSince: null, goodSince: null, resting: false, returnAfter: RETURN_MS };
}

/**
 * Return the state after one more look at the line.
 * @param {State} state
 * @param {object} look
 * @param {Quality} look.quality
 * @param {number} look.at in ms, on any clock that only goes forward
 * @param {boolean} look.camera whether the camera is on, resting or not
 * @param {boolean} look.insists whether the person wants the picture sent whatever the line
 * @returns {State}
 */
export function looked(state, { quality, at, camera, insists }) {
  const poorSince = quality === "poor" ? (state.poorSince ?? at) : null;
  const goodSince = quality === "good" ? (state.goodSince ?? at) : null;
  const next = { ...state, poorSince, goodSince };
  if (!camera || insists) return { ...next, resting: false };
  if (state.resting) {
    if (goodSince === null || at - goodSince < state.returnAfter) return next;
    // With the camera back the line must prove itself again.
    return { ...next, resting: false, goodSince: at, returnAfter: Math.min(2 * state.returnAfter, LONGEST_RETURN_MS) };
  }
  if (poorSince !== null && at - poorSince >= REST_MS) return { ...next, resting: true, poorSince: null };
  if (goodSince !== null && at - goodSince >= FORGET_MS) return { ...next, returnAfter: RETURN_MS };
  return next;
}

/** @typedef {{sentence: string, does: "" | "camera-off" | "camera-on" | "stop-screen", label: string}} Advice */

/**
 * Return what to tell the person about the line, and the one thing that helps; null while there is nothing to say.
 * @param {State} state
 * @param {object} now
 * @param {number} now.at
 * @param {boolean} now.camera
 * @param {boolean} now.screen
 * @returns {Advice | null}
 */
export function advice({ resting, poorSince }, { at, camera, screen }) {
  if (resting) {
    return {
      sentence: "The line is weak: your camera rests, so that the sound stays clear. It comes back by itself.",
      does: "camera-on",
      label: "Send it anyway",
    };
  }
  if (poorSince === null || at - poorSince < TELL_MS) return null;
  if (camera) return { sentence: "The line is weak. Turn your camera off to keep the sound clear.", does: "camera-off", label: "Turn it off" };
  if (screen) return { sentence: "The line is weak. Stop sharing for a while to keep the sound clear.", does: "stop-screen", label: "Stop sharing" };
  return { sentence: "The line is weak. Move closer to your Wi-Fi, or plug in a cable.", does: "", label: "" };
}
