/** One sentence on where the call stands. */

/**
 * @import {SocketState} from "../lib/socket.js"
 * @import {Connection} from "./adapter.js"
 */

/**
 * @typedef {object} Situation
 * @property {boolean} inCall whether this tab is in the call
 * @property {string} state of the session
 * @property {string} other the other person's name
 * @property {boolean} otherHere
 * @property {boolean} left whether the other, who is not here, closed the page rather than lost the line
 * @property {Connection} connection of the media
 * @property {SocketState} socket
 * @property {boolean} late whether the two have not been connected for so long that it will hardly come by itself
 * @property {boolean} free whether no page of the two ever was connected, so that nothing is to be paid (decision 0005)
 * @property {string} absence after how long without the other the session ends, such as "2 min"
 */

/**
 * Return what to tell the person; "" while all is well and picture and sound speak for themselves.
 * @param {Situation} situation
 * @returns {string}
 */
export function statusOf({ inCall, state, other, otherHere, left, connection, socket, late, free, absence }) {
  const flows = connection === "connected";
  if (!inCall) return otherHere ? `${other} is in the room.` : `${other} is not in the room yet.`;
  if (socket === "refused") return "You are signed out, or this call is no longer yours. Reload the page.";
  if (socket === "lost") {
    return flows
      ? "Reconnecting to Hopps… The call goes on, the clock stands still."
      : "Your connection is lost. Reconnecting… The clock stands still.";
  }
  if (!otherHere) {
    if (flows && !left) return `The clock stands still: ${other} is cut off from Hopps. The call goes on.`;
    return state === "active"
      ? `The clock stands still: ${other} ${left ? "left" : "is not here"}. If that lasts ${absence}, the session ends by itself.`
      : `Waiting for ${other}. The clock starts when you are both here.`;
  }
  if (flows) return "";
  if (late) {
    const advice = `Your browser cannot reach ${other}'s yet. Try another network, or switch off a VPN; the chat works meanwhile.`;
    return free ? `${advice} Nothing is charged for a call that never connects.` : advice;
  }
  return connection === "interrupted" ? `The line to ${other} is interrupted. Reconnecting.` : `Connecting you with ${other}.`;
}
