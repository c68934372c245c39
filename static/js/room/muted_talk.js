/** Notices that somebody speaks into a microphone that is muted here. */

const EVERY_MS = 150;
// Of full scale, over one window: well above a quiet room, well below a voice at a desk.
const LOUD = 0.02;
// A voice is loud in most windows, a door or a cough in one or two.
const SPEAKS = 3;
const FORGETS = 0.25;

/**
 * Return the score after one more window: loud ones count up, quiet ones slowly down.
 * @param {number} score
 * @param {number} loudness root mean square of the window's samples, 0 to 1
 * @returns {number}
 */
export function scored(score, loudness) {
  return loudness > LOUD ? Math.min(score + 1, 2 * SPEAKS) : Math.max(score - FORGETS, 0);
}

/**
 * Whether a score means that somebody speaks.
 * @param {number} score
 */
export function speaks(score) {
  return score >= SPEAKS;
}

/**
 * Listen to a muted microphone until the returned function is called. Nothing of it leaves the page.
 * @param {MediaStreamTrack} track
 * @param {(speaking: boolean) => void} told when somebody begins to speak, and when they stopped
 * @returns {() => void}
 */
export function watchMutedTalk(track, told) {
  // The track itself is silent while it is muted; a clone is not.
  const clone = track.clone();
  clone.enabled = true;
  const context = new AudioContext();
  const analyser = context.createAnalyser();
  analyser.fftSize = 8192; // the window: longer than the pause between two looks, so that nothing goes unheard
  context.createMediaStreamSource(new MediaStream([clone])).connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  let score = 0;
  let speaking = false;
  const timer = setInterval(() => {
    // Locked until a click, after a reload for instance: till then it hears nothing, and says nothing.
    if (context.state !== "running") void context.resume();
    analyser.getFloatTimeDomainData(samples);
    score = scored(score, Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length));
    const now = speaking ? score > 0 : speaks(score);
    if (now !== speaking) told((speaking = now));
  }, EVERY_MS);
  return () => {
    clearInterval(timer);
    clone.stop();
    void context.close();
  };
}
