/** Catching the eye of a person in another tab. */

const EVERY_MS = 1_000;

/** Flashes the page's title while there is something to see. */
export class TitleFlash {
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #timer;
  #title = "";

  /**
   * Alternate between `text` and the page's own title.
   * @param {string} text
   */
  start(text) {
    this.stop();
    this.#title = document.title;
    document.title = text;
    this.#timer = setInterval(() => (document.title = document.title === text ? this.#title : text), EVERY_MS);
  }

  /** Show the page's own title again. */
  stop() {
    if (this.#timer === undefined) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
    document.title = this.#title;
  }
}

/**
 * Notifications of an open page, one for each thing to see, taken back when it is gone.
 *
 * Shown by the service worker where there is one: phones know no other way. What the server pushes bears the same tags,
 * so the two never stand beside each other.
 */
export class Notices {
  /** @type {Set<string>} */
  #wanted = new Set();
  /** @type {Map<string, Notification[]>} */
  #shown = new Map();

  constructor() {
    // Those of a worker would outlive the page, and nobody would take them back.
    window.addEventListener("pagehide", () => {
      for (const notices of this.#shown.values()) for (const notice of notices) notice.close();
    });
  }

  /** Whether the person can still be asked. */
  get askable() {
    return "Notification" in window && Notification.permission === "default";
  }

  /** Ask the person; to be called from a click. */
  async ask() {
    await Notification.requestPermission();
  }

  /**
   * Show a notification where the person allowed it.
   * @param {string} tag
   * @param {string} title
   * @param {string} body
   */
  async show(tag, title, body) {
    if (!("Notification" in window) || Notification.permission !== "granted") return;
    this.#wanted.add(tag);
    const registration = await worker();
    // Taken back while the worker was looked for.
    if (!this.#wanted.has(tag)) return;
    if (registration) {
      // A click leads back to this page; static/js/service_worker.js sees to it.
      await registration.showNotification(title, { body, tag, data: { url: location.pathname } });
      this.#shown.set(tag, await registration.getNotifications({ tag }));
      if (!this.#wanted.has(tag)) await this.close(tag);
      return;
    }
    try {
      const notice = new Notification(title, { body, tag });
      notice.onclick = () => {
        window.focus();
        notice.close();
      };
      this.#shown.set(tag, [notice]);
    } catch (problem) {
      // A phone before its worker is there; the chime and the title are there all the same.
      if (!(problem instanceof TypeError)) throw problem;
    }
  }

  /**
   * Take a notification back, whoever showed it.
   * @param {string} tag
   */
  async close(tag) {
    this.#wanted.delete(tag);
    for (const notice of this.#shown.get(tag) ?? []) notice.close();
    this.#shown.delete(tag);
    const pushed = (await (await worker())?.getNotifications({ tag })) ?? [];
    // Unless it was opened again meanwhile.
    if (!this.#wanted.has(tag)) for (const notice of pushed) notice.close();
  }
}

/** The worker that shows notifications, where this browser has it. */
async function worker() {
  if (!("serviceWorker" in navigator)) return undefined;
  const registration = await navigator.serviceWorker.getRegistration("/");
  return registration?.active ? registration : undefined;
}
