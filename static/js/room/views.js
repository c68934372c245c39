/** Picture-in-picture and full screen, offered where the browser has them. */

import { find, need } from "../lib/dom.js";

/**
 * Bring the `[data-pip]` and `[data-full]` buttons to life, or leave them hidden.
 * @param {HTMLElement} root the `[data-stage]` element, in the room
 * @param {() => HTMLVideoElement} video what picture-in-picture shows
 * @param {AbortSignal} signal ends it, and both views with it
 */
export function offerViews(root, video, signal) {
  const pip = need(root, "[data-pip]", HTMLButtonElement);
  pip.hidden = !document.pictureInPictureEnabled;
  pip.addEventListener(
    "click",
    async () => {
      try {
        if (document.pictureInPictureElement) await document.exitPictureInPicture();
        else await video().requestPictureInPicture();
      } catch {
        // Nothing to show yet, or the browser's own window is in the way: the call stays where it is.
      }
    },
    { signal },
  );
  const full = need(root, "[data-full]", HTMLButtonElement);
  // The whole room, so that the clock, the controls and the chat stay in reach.
  const room = find(document, "[data-room]") ?? root;
  full.hidden = !document.fullscreenEnabled;
  full.addEventListener(
    "click",
    () => (document.fullscreenElement ? document.exitFullscreen() : room.requestFullscreen()).catch(() => undefined),
    { signal },
  );
  document.addEventListener(
    "fullscreenchange",
    () => {
      const label = document.fullscreenElement ? "Leave full screen" : "Full screen";
      full.setAttribute("aria-label", label);
      full.title = label;
    },
    { signal },
  );
  signal.addEventListener("abort", () => {
    if (document.pictureInPictureElement) void document.exitPictureInPicture();
    if (document.fullscreenElement) void document.exitFullscreen();
  });
}
