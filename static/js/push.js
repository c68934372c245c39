/** Notifications with Hopps closed: turned on here, and how it stands with them (`[data-push]`). */

import { find, make, need, say, show } from "./lib/dom.js";
import { post, Refused, showError } from "./lib/forms.js";

export const WORKER = "/service-worker.js";

/** @typedef {"on" | "off" | "blocked" | "unsupported" | "iphone"} State */

/** Whether this browser can show notifications while Hopps is closed. */
export function pushIsPossible() {
  return "serviceWorker" in navigator && "PushManager" in window && "Notification" in window;
}

/** The part of a page that says whether notifications are on in this browser, and turns them on. */
export class PushSwitch {
  /** @param {HTMLElement} root `[data-push]`, with the key in `data-key` */
  constructor(root) {
    this.root = root;
    this.form = need(root, "[data-push-form]", HTMLFormElement);
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#turnOn();
    });
    this.#look();
  }

  get #key() {
    return this.root.dataset.key ?? "";
  }

  async #look() {
    this.#show(await this.#state());
  }

  /** @returns {Promise<State>} */
  async #state() {
    if (!pushIsPossible()) return isApplePhone() ? "iphone" : "unsupported";
    if (Notification.permission === "denied") return "blocked";
    if (Notification.permission === "default") return "off";
    const registration = await navigator.serviceWorker.getRegistration("/");
    const subscription = await registration?.pushManager.getSubscription();
    if (!subscription || !isMadeWith(subscription, this.#key)) return "off";
    return this.#isKept(subscription.endpoint) ? "on" : "off";
  }

  /**
   * Whether the server has this browser on the person's list.
   * @param {string} endpoint
   */
  #isKept(endpoint) {
    const kept = this.root.querySelectorAll("[data-endpoint]");
    return [...kept].some((row) => row instanceof HTMLElement && row.dataset.endpoint === endpoint);
  }

  /** @param {State} state */
  #show(state) {
    this.root.dataset.state = state;
    for (const name of ["on", "off", "blocked", "unsupported", "iphone"]) show(this.root, `[data-when="${name}"]`, name === state);
    this.form.hidden = state !== "off";
  }

  async #turnOn() {
    const button = need(this.form, "button", HTMLButtonElement);
    button.disabled = true;
    showError(this.form, "");
    try {
      // First of all, while the click counts: some browsers ask only then.
      const permission = await Notification.requestPermission();
      if (permission !== "granted") {
        this.#show(permission === "denied" ? "blocked" : "off");
        this.#say("The browser was not allowed to show notifications.");
        return;
      }
      const subscription = await subscribe(this.#key);
      this.#fill(subscription);
      const answer = await post(this.form);
      this.#list(subscription.endpoint, String(answer.id), String(answer.device));
      this.#show("on");
      this.#say("Notifications are on in this browser.");
    } catch (problem) {
      showError(this.form, sentence(problem));
    } finally {
      button.disabled = false;
    }
  }

  /** @param {PushSubscription} subscription */
  #fill(subscription) {
    const { endpoint, keys } = subscription.toJSON();
    const values = { endpoint, p256dh: keys?.p256dh, auth: keys?.auth };
    for (const [name, value] of Object.entries(values)) {
      const field = find(this.form, `[name="${name}"]`);
      if (field instanceof HTMLInputElement) field.value = value ?? "";
      else this.form.append(make("input", { type: "hidden", name, value: value ?? "" }));
    }
  }

  /**
   * Put this browser on the list, where the page has one.
   * @param {string} endpoint
   * @param {string} id
   * @param {string} device
   */
  #list(endpoint, id, device) {
    const list = find(this.root, "[data-browsers]");
    const template = find(this.root, "[data-browser-template]");
    if (!list || !(template instanceof HTMLTemplateElement)) return;
    for (const row of list.querySelectorAll(`[data-browser="${id}"]`)) row.remove();
    const row = document.importNode(template.content, true);
    const item = need(row, "[data-browser]", HTMLElement);
    item.dataset.browser = id;
    item.dataset.endpoint = endpoint;
    for (const place of item.querySelectorAll("[data-device]")) say(place, device);
    need(item, "[name=browser]", HTMLInputElement).value = id;
    need(list, "ul", HTMLUListElement).append(item);
    list.hidden = false;
  }

  /** @param {string} text */
  #say(text) {
    say(find(this.root, "[data-push-said]"), text);
  }
}

/** Before a person put the page on their home screen, an iPhone or iPad has no notifications for it. */
function isApplePhone() {
  return /iPhone|iPad/.test(navigator.userAgent) || (navigator.userAgent.includes("Macintosh") && navigator.maxTouchPoints > 1);
}

/**
 * Return this browser's subscription, made with `key`.
 * @param {string} key
 */
async function subscribe(key) {
  await navigator.serviceWorker.register(WORKER);
  const { pushManager } = await navigator.serviceWorker.ready;
  const old = await pushManager.getSubscription();
  // Browsers make none with another key while there is one.
  if (old && !isMadeWith(old, key)) await old.unsubscribe();
  return pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key });
}

/**
 * Whether a subscription was made with `key`, base64url: one made with a key the server has no more brings nothing.
 * @param {PushSubscription} subscription
 * @param {string} key
 */
function isMadeWith(subscription, key) {
  const letters = String.fromCharCode(...new Uint8Array(subscription.options.applicationServerKey ?? new ArrayBuffer(0)));
  return btoa(letters).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "") === key;
}

/**
 * What went wrong, for the person.
 * @param {unknown} problem
 */
function sentence(problem) {
  if (problem instanceof Refused) return problem.message;
  if (problem instanceof DOMException) {
    return "This browser could not reach its maker's push service. Private windows and some company networks do not allow it.";
  }
  throw problem;
}

const part = find(document, "[data-push]");
if (part && find(part, "[data-push-form]")) new PushSwitch(part);
