/** Actions are plain forms that work without this; with it they answer in place. */

import { find, say } from "./dom.js";

/**
 * POST a form and return the JSON answer.
 * @param {HTMLFormElement} form
 * @returns {Promise<Record<string, unknown>>}
 * @throws {Refused} with the server's sentence, or one about the connection
 */
export async function post(form) {
  let response;
  try {
    response = await fetch(form.action, { method: "POST", body: new FormData(form), headers: { Accept: "application/json" } });
  } catch {
    throw new Refused("The connection is gone. Nothing was sent; try again in a moment.");
  }
  const isJson = response.headers.get("Content-Type")?.startsWith("application/json");
  /** @type {Record<string, unknown>} */
  const answer = isJson ? await response.json() : {};
  if (response.ok && isJson) return answer;
  if (typeof answer.error === "string") throw new Refused(answer.error);
  if (response.status === 403 || response.redirected) {
    throw new Refused("You are signed out, or this page is too old. Reload it and try again.");
  }
  throw new Refused(
    response.status === 404
      ? "This is no longer yours to do. Reload the page to see what changed."
      : "That did not work on our side. Nothing was changed; try again in a moment.",
  );
}

/** The server said no; `message` is a sentence for the person. */
export class Refused extends Error {}

/**
 * Have every `<form data-action>` inside `root` submitted in place; a refusal is shown in its `[data-error]`.
 * @param {HTMLElement} root
 * @param {(form: HTMLFormElement, answer: Record<string, unknown>) => void} done called after the server did it
 * @param {AbortSignal} signal ends the listening
 */
export function submitInPlace(root, done, signal) {
  root.addEventListener(
    "submit",
    async (event) => {
      const form = event.target;
      if (!(form instanceof HTMLFormElement) || !form.matches("[data-action]")) return;
      event.preventDefault();
      const buttons = form.querySelectorAll("button");
      for (const button of buttons) button.disabled = true;
      showError(form, "");
      try {
        done(form, await post(form));
      } catch (problem) {
        if (!(problem instanceof Refused)) throw problem;
        showError(form, problem.message);
      } finally {
        for (const button of buttons) button.disabled = false;
      }
    },
    { signal },
  );
}

/**
 * Show `sentence` in the form's own error line, or in the nearest one around it.
 * @param {HTMLElement} form
 * @param {string} sentence
 */
export function showError(form, sentence) {
  /** @type {HTMLElement | null} */
  let place = form;
  let line = null;
  while (place && !line) {
    line = find(place, "[data-error]");
    place = place.parentElement;
  }
  say(line, sentence);
  if (line) line.hidden = !sentence;
}
