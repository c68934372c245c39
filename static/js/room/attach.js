/** The ways a file gets into the chat: the button, the clipboard, and dropping it anywhere on the page. */

import { need, show } from "../lib/dom.js";

// What phones are asked for: an iPhone then sends its photos as JPEG. A computer's chooser would grey out code with this.
const ON_PHONES = "image/png,image/jpeg,image/gif,image/webp,application/pdf,text/*,application/json";

/**
 * Take files that are offered.
 * @param {HTMLElement} panel the chat, with `[data-attach]` and an `input[type=file]`
 * @param {object} setting
 * @param {() => boolean} setting.open whether files are taken now; what is dropped otherwise is let fall, and nothing opens it
 * @param {(files: File[]) => void} setting.take
 * @param {(sentence: string) => void} setting.problem
 * @param {AbortSignal} setting.signal
 */
export function takeFiles(panel, { open, take, problem, signal }) {
  const chooser = need(panel, "input[type=file]", HTMLInputElement);
  if (matchMedia("(pointer: coarse)").matches) chooser.accept = ON_PHONES;
  need(panel, "[data-attach]", HTMLButtonElement).addEventListener("click", () => chooser.click(), { signal });
  chooser.addEventListener(
    "change",
    () => {
      take([...(chooser.files ?? [])]);
      chooser.value = ""; // the same file may be chosen again
    },
    { signal },
  );
  document.addEventListener("paste", (event) => pasted(event, { open, take }), { signal });
  takeDropped({ open, take, problem, signal });
}

/**
 * @param {ClipboardEvent} event
 * @param {{open: () => boolean, take: (files: File[]) => void}} setting
 */
function pasted(event, { open, take }) {
  const { clipboardData, target } = event;
  const files = [...(clipboardData?.files ?? [])];
  // Spreadsheets and word processors put a picture of the text beside it: text stays text.
  if (!files.length || clipboardData?.types.includes("text/plain") || !open()) return;
  // Another box of the page has its own ways with what is pasted into it.
  const box = target instanceof Element && target.closest("input, textarea, [contenteditable]");
  if (box && !box.closest("[data-chat-panel]")) return;
  event.preventDefault();
  take(files);
}

/** @param {{open: () => boolean, take: (files: File[]) => void, problem: (sentence: string) => void, signal: AbortSignal}} setting */
function takeDropped({ open, take, problem, signal }) {
  /** @param {boolean} shown */
  const hint = (shown) => show(document, "[data-drop-hint]", shown);
  document.addEventListener(
    "dragover",
    (event) => {
      if (!hasFiles(event) || !event.dataTransfer) return;
      // Without this a file dropped beside the box opens in the call's place.
      event.preventDefault();
      event.dataTransfer.dropEffect = open() ? "copy" : "none";
      hint(open());
    },
    { signal },
  );
  document.addEventListener("dragleave", (event) => event.relatedTarget || hint(false), { signal });
  document.addEventListener(
    "drop",
    (event) => {
      hint(false);
      if (!hasFiles(event)) return;
      event.preventDefault();
      if (!open()) return;
      const items = [...(event.dataTransfer?.items ?? [])].filter((item) => item.kind === "file");
      const files = items.filter((item) => !item.webkitGetAsEntry?.()?.isDirectory).map((item) => item.getAsFile());
      if (files.length < items.length) problem("Folders cannot be sent. Drop the files that are in it.");
      take(files.filter((file) => file !== null));
    },
    { signal },
  );
}

/** @param {DragEvent} event */
function hasFiles({ dataTransfer }) {
  return Boolean(dataTransfer?.types.includes("Files"));
}
