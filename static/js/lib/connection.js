/** Says so when the page is cut off from the server. */

import { all, say } from "./dom.js";

/** @import {SocketState} from "./socket.js" */

// Shorter gaps mend themselves before anybody has read about them.
const PATIENCE_MS = 1_500;

/** @type {Record<SocketState, string>} */
const SENTENCES = {
  connecting: "",
  open: "",
  lost: "The connection to Hopps is lost. Trying again; nothing you have to do.",
  refused: "You are signed out, or this is no longer yours. Reload the page.",
  dismissed: "You are signed out, or this is no longer yours. Reload the page.",
};

/**
 * Return a function that shows a socket's state in every `[data-connection]` of the page.
 * @returns {(state: SocketState) => void}
 */
export function connectionLine() {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  /** @param {string} sentence */
  const set = (sentence) => {
    for (const line of all(document, "[data-connection]")) {
      line.hidden = !sentence;
      say(line, sentence);
    }
  };
  return (state) => {
    document.documentElement.dataset.socket = state;
    if (state !== "lost") {
      clearTimeout(timer);
      timer = undefined;
      set(SENTENCES[state]);
    } else {
      timer ??= setTimeout(() => set(SENTENCES.lost), PATIENCE_MS);
    }
  };
}
