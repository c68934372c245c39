/** One sentence on where the call stands. */

/** @import {Connection} from "./adapter.js" */

/**
 * @typedef {object} Situation
 * @property {boolean} inCall whether this tab is in the call
 * @property {string} state of the session
 * @property {string} other the other person's name
 * @property {boolean} otherHere
 * @property {Connection} connection of the media
 * @property {boolean} cutOff whether the socket is gone
 */

/**
 * Return what to tell the person; "" while all is well and picture and sound speak for themselves.
 * @param {Situation} situation
 * @returns {string}
 */
export function statusOf({ inCall, state, other, otherHere, connection, cutOff }) {
  if (!inCall) return otherHere ? `${other} is in the room.` : `${other} is not in the room yet.`;
  if (cutOff && connection === "connected") return "The connection to Hopps is lost, the call goes on. Trying again.";
  if (cutOff) return "Your connection is lost. Trying again.";
  if (!otherHere && connection !== "connected") {
    return state === "active"
      ? `${other} is away. The clock has stopped. Nobody back in 2 minutes, and the session ends by itself.`
      : `Waiting for ${other}. The clock starts when you are both here.`;
  }
  switch (connection) {
    case "connected":
      return "";
    case "interrupted":
      return `The line to ${other} is interrupted. Reconnecting.`;
    default:
      return `Connecting you with ${other}.`;
  }
}
