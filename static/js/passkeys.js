// @ts-check
// Passkeys: `<form data-passkey="create|get">` asks the browser for one and posts what it answers in its field "credential".
// What to ask stands in the page (data-options names the element) or is fetched when it is needed (data-options-from).
// A form is shown only where the browser can; otherwise what is marked data-no-passkeys.

import { all, find, need, say, show } from "./lib/dom.js";

/** What a person can do about it, by the name of what the browser threw. */
const PROBLEMS = new Map([
  ["NotAllowedError", "That was cancelled, or it took too long. Try again when you are ready."],
  ["AbortError", "That was cancelled. Try again when you are ready."],
  ["InvalidStateError", "This device has a passkey for your account already. There is nothing to add."],
  ["SecurityError", "Passkeys do not work at this address. Open Hopps at its own address and try again."],
  ["NotSupportedError", "This device has no kind of passkey that works here. Try another device."],
  ["ConstraintError", "This device cannot check that it is you. Set up its screen lock, or try another device."],
]);
const OTHERWISE = "The passkey could not be used. Try again, or take another way.";

/** The server said no; `message` is for the person. */
class Refused extends Error {}

/** @returns {boolean} whether this browser makes passkeys, and makes them at this address: it must be a name, not a number */
function canHere() {
  return window.isSecureContext && "PublicKeyCredential" in window && !/^[\d.]+$|^\[/.test(location.hostname);
}

/**
 * @param {string} text base64url
 * @returns {Uint8Array<ArrayBuffer>}
 */
function bytes(text) {
  return Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (letter) => letter.charCodeAt(0));
}

/**
 * @param {ArrayBuffer | null | undefined} buffer
 * @returns {string | undefined} base64url
 */
function text(buffer) {
  if (!buffer) return undefined;
  const binary = Array.from(new Uint8Array(buffer), (byte) => String.fromCharCode(byte)).join("");
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/**
 * What the server sends as text, as the browser wants it.
 * @param {any} options
 * @returns {any}
 */
function readable(options) {
  const list = (/** @type {any[] | undefined} */ known) => (known ?? []).map((one) => ({ ...one, id: bytes(one.id) }));
  return {
    ...options,
    challenge: bytes(options.challenge),
    ...(options.user ? { user: { ...options.user, id: bytes(options.user.id) } } : {}),
    ...(options.excludeCredentials ? { excludeCredentials: list(options.excludeCredentials) } : {}),
    ...(options.allowCredentials ? { allowCredentials: list(options.allowCredentials) } : {}),
  };
}

/**
 * What the browser answered, as text.
 * @param {PublicKeyCredential} credential
 */
function written(credential) {
  const { response } = credential;
  /** @type {Record<string, string | undefined>} */
  const parts = { clientDataJSON: text(response.clientDataJSON) };
  if (response instanceof AuthenticatorAttestationResponse) {
    parts.attestationObject = text(response.attestationObject);
  } else if (response instanceof AuthenticatorAssertionResponse) {
    parts.authenticatorData = text(response.authenticatorData);
    parts.signature = text(response.signature);
    parts.userHandle = text(response.userHandle);
  }
  return JSON.stringify({
    id: credential.id,
    rawId: text(credential.rawId),
    type: credential.type,
    authenticatorAttachment: credential.authenticatorAttachment,
    clientExtensionResults: credential.getClientExtensionResults(),
    response: parts,
  });
}

/**
 * @param {HTMLFormElement} form
 * @returns {Promise<any>} what to ask the browser
 */
async function optionsOf(form) {
  const from = form.dataset.optionsFrom;
  if (!from) return JSON.parse(document.getElementById(form.dataset.options ?? "")?.textContent ?? "").publicKey;
  let answer;
  try {
    answer = await fetch(from, { headers: { Accept: "application/json" } });
  } catch {
    throw new Refused("The connection is gone. Try again in a moment.");
  }
  if (answer.status === 429) throw new Refused("That was often. Wait a minute, then try again.");
  if (answer.redirected) throw new Refused("You are signed in already. Reload this page.");
  if (!answer.ok) throw new Refused("That did not work on our side. Try again in a moment.");
  return (await answer.json()).request_options.publicKey;
}

/**
 * @param {HTMLFormElement} form
 * @returns {Promise<string>} the browser's answer
 */
async function ask(form) {
  const publicKey = readable(await optionsOf(form));
  let credential;
  if (form.dataset.passkey === "create") {
    // Kept by the device where it can be, so that it signs in on its own.
    publicKey.authenticatorSelection = { ...publicKey.authenticatorSelection, residentKey: "preferred", requireResidentKey: false };
    credential = await navigator.credentials.create({ publicKey });
  } else {
    credential = await navigator.credentials.get({ publicKey });
  }
  if (!(credential instanceof PublicKeyCredential)) throw new Refused(OTHERWISE);
  return written(credential);
}

/** @param {HTMLFormElement} form */
function setUp(form) {
  const answer = need(form, "input[name=credential]", HTMLInputElement);
  const button = need(form, "button[type=submit]", HTMLButtonElement);
  const line = find(form, "[data-error]");
  form.hidden = false;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    button.disabled = true;
    say(line, "");
    if (line) line.hidden = true;
    try {
      answer.value = await ask(form);
      form.submit();
    } catch (problem) {
      const name = problem instanceof Error || problem instanceof DOMException ? problem.name : "";
      say(line, problem instanceof Refused ? problem.message : (PROBLEMS.get(name) ?? OTHERWISE));
      if (line) line.hidden = false;
      button.disabled = false;
    }
  });
  // Back from the next page: what was asked then is not good any more.
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) location.reload();
  });
}

const forms = all(document, "form[data-passkey]");
if (canHere()) for (const form of forms) setUp(/** @type {HTMLFormElement} */ (form));
else show(document, "[data-no-passkeys]", true);
