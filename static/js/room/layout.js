/** Which picture is large and which are small: a rule, and nothing else. */

/** @typedef {"screen" | "camera" | "own-screen" | "own-camera"} Tile the other's, and one's own */

/** @type {Tile[]} what is worth looking at most comes first */
const ORDER = ["screen", "camera", "own-screen", "own-camera"];

/**
 * Return what goes where. One's own picture is large only where the person chose that: without the other's, their name is.
 * @param {ReadonlySet<Tile>} there the pictures there are
 * @param {Tile | null} chosen by the person
 * @returns {{large: Tile | null, small: Tile[], beside: boolean}} `beside`: the small ones stand beside the large one, for a
 *   screen has no corner to spare; else the only one lies over its corner
 */
export function arrange(there, chosen) {
  const present = ORDER.filter((tile) => there.has(tile));
  const large = chosen && there.has(chosen) ? chosen : (present.find((tile) => !tile.startsWith("own")) ?? null);
  const small = present.filter((tile) => tile !== large);
  return { large, small, beside: small.length > 0 && (small.length > 1 || Boolean(large?.endsWith("screen"))) };
}

/**
 * Return what a person may expect of the other, in one sentence; "" where picture and sound speak for themselves.
 * @param {string} other the other's name
 * @param {object} sends what the other sends
 * @param {boolean} sends.camera
 * @param {boolean} sends.has_camera
 * @param {boolean} sends.has_microphone
 * @param {boolean} sends.weak_line
 * @returns {string}
 */
export function expectation(other, { camera, has_camera: sees, has_microphone: speaks, weak_line: weak }) {
  if (!sees && !speaks) return `${other} has no camera and no microphone, and writes in the chat. ${other} hears and sees you.`;
  if (!speaks) return `${other} has no microphone, and writes in the chat. ${other} hears you.`;
  if (!sees) return `${other} has no camera.`;
  if (weak) return `The line is weak: ${other}'s camera rests, so that the sound stays clear.`;
  return camera ? "" : `${other}'s camera is off.`;
}
