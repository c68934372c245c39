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

/** Desktop notifications, one for each thing to see, taken back when it is gone. */
export class Notices {
  /** @type {Map<string, Notification>} */
  #shown = new Map();

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
   * @param {string} id
   * @param {string} title
   * @param {string} body
   */
  show(id, title, body) {
    if (!("Notification" in window) || Notification.permission !== "granted") return;
    try {
      const notice = new Notification(title, { body, tag: id });
      notice.onclick = () => {
        window.focus();
        notice.close();
      };
      this.#shown.set(id, notice);
    } catch (problem) {
      // Phones want a service worker for these; the chime and the title are there all the same.
      if (!(problem instanceof TypeError)) throw problem;
    }
  }

  /**
   * Take a notification back.
   * @param {string} id
   */
  close(id) {
    this.#shown.get(id)?.close();
    this.#shown.delete(id);
  }
}
