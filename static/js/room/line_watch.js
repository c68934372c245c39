/**
 * Looks at the line every few seconds, and does and says what the rules want.
 *
 * @import {Quality} from "./adapter.js"
 * @import {Controls} from "./controls.js"
 * @import {Notes} from "./notes.js"
 */

import { advice, calm, looked } from "./poor_line.js";

const EVERY_MS = 2_000;

/**
 * Watch until `signal` aborts.
 * @param {object} setting
 * @param {() => Quality} setting.quality
 * @param {Controls} setting.controls
 * @param {Notes} setting.notes
 * @param {AbortSignal} setting.signal
 */
export function watchLine({ quality, controls, notes, signal }) {
  let state = calm();
  // The person wanted the picture sent although the line is weak: until the camera is switched off.
  let insists = false;
  const look = () => {
    const { camera, weak_line: resting, screen } = controls.sends;
    const on = camera || Boolean(resting);
    if (!on) insists = false;
    const at = performance.now();
    state = looked(state, { quality: quality(), at, camera: on, insists });
    controls.rest(state.resting);
    const told = advice(state, { at, camera: on && !insists, screen });
    notes.set("line", told && { sentence: told.sentence, label: told.label, run: () => run(told.does) });
  };
  /** @param {import("./poor_line.js").Advice["does"]} does */
  const run = (does) => {
    if (does === "camera-off") void controls.toggle("camera");
    if (does === "stop-screen") void controls.toggleScreen();
    if (does === "camera-on") insists = true;
    look();
  };
  const timer = setInterval(look, EVERY_MS);
  signal.addEventListener("abort", () => clearInterval(timer));
}
