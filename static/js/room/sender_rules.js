/**
 * How much of the line each thing sent may take: the sound first, then a sharp screen, then the camera.
 *
 * @import {Line, Quality} from "./adapter.js"
 */

/**
 * @typedef {object} Share
 * @property {RTCPriorityType} priority
 * @property {number} [maxBitrate] bits a second
 * @property {number} [maxFramerate]
 * @property {number} [scaleResolutionDownBy]
 * @property {"maintain-framerate" | "maintain-resolution"} [prefers] what is kept where there is not enough for both
 */

/** @type {Record<"good" | "fair" | "poor", [bitrate: number, scale: number]>} of the camera */
const CAMERA = { good: [1_500_000, 1], fair: [600_000, 1.5], poor: [200_000, 3] };
/** @type {Record<"good" | "fair" | "poor", [bitrate: number, framerate: number]>} of the screen: text is read, not watched */
const SCREEN = { good: [2_500_000, 30], fair: [1_200_000, 10], poor: [500_000, 5] };

/**
 * Return the share of one line.
 * @param {Line} line
 * @param {Quality} quality how good the connection is; not known counts as good
 * @returns {Share}
 */
export function shareOf(line, quality) {
  const level = quality === "unknown" ? "good" : quality;
  if (line === "microphone") return { priority: "high" };
  if (line === "screen") {
    const [maxBitrate, maxFramerate] = SCREEN[level];
    return { priority: "medium", maxBitrate, maxFramerate, prefers: "maintain-resolution" };
  }
  const [maxBitrate, scaleResolutionDownBy] = CAMERA[level];
  return { priority: "low", maxBitrate, scaleResolutionDownBy, prefers: "maintain-framerate" };
}

/**
 * Have a sender keep to its share. Nothing is negotiated again.
 * @param {RTCRtpSender} sender
 * @param {Share} share
 */
export async function keepTo(sender, { prefers, priority, ...limits }) {
  const parameters = /** @type {RTCRtpSendParameters & {degradationPreference?: string}} */ (sender.getParameters());
  const [encoding] = parameters.encodings;
  if (!encoding) return; // not negotiated yet
  Object.assign(encoding, { priority, networkPriority: priority }, limits);
  if (prefers) parameters.degradationPreference = prefers;
  try {
    await sender.setParameters(parameters);
  } catch {
    // A browser that does not know these, or a line that was just closed: it sends as it thinks best.
  }
}
