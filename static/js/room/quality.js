/**
 * How good a connection is, from what the browser counts.
 *
 * @import {Quality} from "./adapter.js"
 */

/** @type {WeakMap<RTCPeerConnection, {lost: number, received: number}>} counts at the last reading */
const counted = new WeakMap();

/**
 * Return how good the connection was since the last reading.
 * @param {RTCPeerConnection} pc
 * @returns {Promise<Quality>}
 */
export async function readQuality(pc) {
  if (pc.connectionState !== "connected") return "unknown";
  let [lost, received, roundTrip] = [0, 0, 0];
  for (const report of (await pc.getStats()).values()) {
    if (report.type === "inbound-rtp") {
      lost += report.packetsLost ?? 0;
      received += report.packetsReceived ?? 0;
    } else if (report.type === "candidate-pair" && report.nominated && report.state === "succeeded") {
      roundTrip = Math.max(roundTrip, report.currentRoundTripTime ?? 0);
    }
  }
  const before = counted.get(pc) ?? { lost, received };
  counted.set(pc, { lost, received });
  const packets = received - before.received + (lost - before.lost);
  const share = packets > 0 ? (lost - before.lost) / packets : 0;
  if (roundTrip > 0.6 || share > 0.08) return "poor";
  return roundTrip > 0.3 || share > 0.03 ? "fair" : "good";
}
