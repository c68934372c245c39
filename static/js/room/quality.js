/**
 * How good a connection is, from what the browser counts.
 *
 * @import {Quality} from "./adapter.js"
 */

/** @type {WeakMap<RTCPeerConnection, {lost: number, received: number}>} counts at the last reading */
const counted = new WeakMap();

/**
 * Return how good the connection is.
 * @param {number} lost share of the packets that did not arrive, 0 to 1
 * @param {number} roundTrip in seconds
 * @returns {Quality}
 */
export function grade(lost, roundTrip) {
  if (roundTrip > 0.6 || lost > 0.08) return "poor";
  return roundTrip > 0.3 || lost > 0.03 ? "fair" : "good";
}

/**
 * Return how good the connection was since the last reading: altogether, and for what this page sends.
 * @param {RTCPeerConnection} pc
 * @returns {Promise<{quality: Quality, outbound: Quality}>}
 */
export async function readQuality(pc) {
  if (pc.connectionState !== "connected") return { quality: "unknown", outbound: "unknown" };
  let [lost, received, roundTrip, lostThere] = [0, 0, 0, 0];
  for (const report of (await pc.getStats()).values()) {
    if (report.type === "inbound-rtp") {
      lost += report.packetsLost ?? 0;
      received += report.packetsReceived ?? 0;
    } else if (report.type === "remote-inbound-rtp") {
      // What the other side says of what it got from here.
      lostThere = Math.max(lostThere, report.fractionLost ?? 0);
    } else if (report.type === "candidate-pair" && report.nominated && report.state === "succeeded") {
      roundTrip = Math.max(roundTrip, report.currentRoundTripTime ?? 0);
    }
  }
  const before = counted.get(pc) ?? { lost, received };
  counted.set(pc, { lost, received });
  const packets = received - before.received + (lost - before.lost);
  const lostHere = packets > 0 ? (lost - before.lost) / packets : 0;
  return { quality: grade(Math.max(lostHere, lostThere), roundTrip), outbound: grade(lostThere, roundTrip) };
}
