/** How loud the microphone is. */

import { peak } from "./sound.js";

const EVERY_MS = 80;
// Below this for long, the microphone is most likely the wrong one, or switched off at its side.
const SILENT = 0.005;
const SILENT_MS = 5_000;

/**
 * Show a microphone's level in a `.meter` until the returned function is called.
 * @param {MediaStreamTrack} track
 * @param {HTMLElement} meter has role="meter" from 0 to 1
 * @param {(silent: boolean) => void} silence told when nothing was heard for a while, and when something is again
 * @returns {() => void}
 */
export function showLevel(track, meter, silence) {
  const context = new AudioContext();
  const analyser = context.createAnalyser();
  context.createMediaStreamSource(new MediaStream([track])).connect(analyser);
  /** @param {number} level */
  const set = (level) => {
    meter.style.setProperty("--level", String(level));
    meter.setAttribute("aria-valuenow", level.toFixed(1));
  };
  let heardAt = performance.now();
  let silent = false;
  const timer = setInterval(() => {
    // Locked until a click in some browsers: then there is nothing to say about the microphone.
    if (context.state !== "running") {
      heardAt = performance.now();
      void context.resume();
      return;
    }
    const level = peak(analyser);
    set(Math.min(1, Math.sqrt(level)));
    if (level > SILENT) heardAt = performance.now();
    const now = performance.now() - heardAt > SILENT_MS;
    if (now !== silent) silence((silent = now));
  }, EVERY_MS);
  return () => {
    clearInterval(timer);
    set(0);
    void context.close();
  };
}
