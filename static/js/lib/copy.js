/** Buttons that copy a text of the page: `<button data-copy="#id" hidden>`, shown where the browser lets them work. */

import { all, find, say } from "./dom.js";

const SAID_MS = 4_000;

/** @param {HTMLElement} root looked through now; a button that is replaced later needs another call */
export function copyButtons(root) {
  // Browsers give a clipboard to safe addresses only; the text can be marked by hand, and downloaded.
  if (!navigator.clipboard) return;
  for (const button of all(root, "button[data-copy]")) {
    button.hidden = false;
    button.addEventListener("click", () => void copy(button));
  }
}

/** @param {HTMLElement} button */
async function copy(button) {
  const label = find(button, "span");
  const text = document.querySelector(button.dataset.copy ?? "")?.textContent ?? "";
  try {
    await navigator.clipboard.writeText(text);
    say(label, "Copied");
  } catch {
    say(label, "Not allowed by this browser");
  }
  setTimeout(() => say(label, "Copy"), SAID_MS);
}
