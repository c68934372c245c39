/** Blocking and reporting the other person without leaving the call. */

import { all, find, say } from "../lib/dom.js";

/**
 * Where the server's answer has a sentence for the person, show it in the form's dialog, in place of the form.
 * @param {HTMLFormElement} form
 * @param {Record<string, unknown>} answer
 * @returns {boolean} whether it had
 */
export function saidInPlace(form, answer) {
  const dialog = form.closest("dialog");
  const line = dialog && find(dialog, "[data-said]");
  if (!dialog || !line || typeof answer.said !== "string") return false;
  form.hidden = true;
  if (answer.blocked === true) for (const other of all(dialog, "[data-block-form]")) other.hidden = true;
  line.hidden = false;
  say(line, answer.said);
  line.scrollIntoView({ block: "nearest" });
  return true;
}
