/**
 * Files on their way into the chat: one after the other, with progress, and kept here until the server has them.
 *
 * @import {ChatLine} from "../events.js"
 */

import { make, say } from "../lib/dom.js";
import { uuid } from "../lib/id.js";
import { sizeText } from "./chat_body.js";

// So long without an answer, and the connection is taken for gone.
const LONGEST_MS = 5 * 60_000;

/**
 * @typedef {object} Item one file in the tray above the box
 * @property {string} id the line's: sending it again does no harm
 * @property {File} file
 * @property {HTMLElement} row
 * @property {HTMLProgressElement} bar
 * @property {HTMLElement} state
 * @property {HTMLElement} problem
 * @property {HTMLButtonElement} again
 * @property {HTMLButtonElement} away
 */

/** The tray of files that are being sent, wait for it, or could not be. */
export class Outgoing {
  /** @type {Item[]} */
  #waiting = [];
  /** @type {{item: Item, request: XMLHttpRequest} | null} */
  #now = null;

  /**
   * @param {HTMLElement} tray
   * @param {object} setting
   * @param {string} setting.address where files go
   * @param {string} setting.token the form token of this page
   * @param {number} setting.most bytes
   * @param {(line: ChatLine) => void} setting.sent
   * @param {() => void} setting.left a row the person pressed a button of is gone: the focus goes elsewhere
   * @param {AbortSignal} setting.signal
   */
  constructor(tray, { address, token, most, sent, left, signal }) {
    this.tray = tray;
    this.address = address;
    this.token = token;
    this.most = most;
    this.sent = sent;
    this.left = left;
    signal.addEventListener("abort", () => {
      this.#waiting = [];
      this.#now?.request.abort();
    });
  }

  /** @param {File} file */
  add(file) {
    const item = this.#row(file);
    if (file.size > this.most) {
      const most = sizeText(this.most).replace(".0", "");
      this.#failed(item, `This file is larger than ${most}, the most that can be sent. Share it by a link instead.`, false);
      return;
    }
    this.#queue(item);
  }

  /** @param {Item} item */
  #queue(item) {
    item.row.dataset.state = "waiting";
    item.again.hidden = true;
    item.bar.hidden = false;
    item.bar.value = 0;
    item.away.textContent = "Cancel";
    item.away.setAttribute("aria-label", `Cancel sending ${item.file.name}`);
    say(item.problem, "");
    say(item.state, "waiting…");
    this.#waiting.push(item);
    this.#next();
  }

  #next() {
    if (this.#now) return;
    const item = this.#waiting.shift();
    if (!item) return;
    const request = new XMLHttpRequest(); // `fetch` does not tell how much has gone out
    this.#now = { item, request };
    item.row.dataset.state = "sending";
    request.open("POST", this.address);
    request.responseType = "json";
    request.timeout = LONGEST_MS;
    request.setRequestHeader("Accept", "application/json");
    request.setRequestHeader("Content-Type", "application/octet-stream");
    request.setRequestHeader("X-CSRFToken", this.token);
    request.setRequestHeader("X-File-Id", item.id);
    request.setRequestHeader("X-File-Name", encodeURIComponent(item.file.name.replace(/\p{Surrogate}/gu, "\ufffd")));
    request.upload.onprogress = ({ loaded, total }) => progress(item, total ? loaded / total : 0);
    request.onload = () => this.#answered(item, request);
    request.onerror = request.ontimeout = () => {
      this.#failed(item, "The connection is gone, or the file was moved or changed. It is not sent yet: try again.", true);
    };
    request.onloadend = () => {
      this.#now = null;
      this.#next();
    };
    progress(item, 0);
    request.send(item.file);
  }

  /**
   * @param {Item} item
   * @param {XMLHttpRequest} request
   */
  #answered(item, { status, response }) {
    if (status === 200 && response?.type === "chat_line") {
      this.#remove(item);
      this.sent(response);
    } else if (typeof response?.error === "string") {
      // What the server will not take it does not take the second time either, unless the fault was its own, or it was too many at once.
      this.#failed(item, response.error, status >= 500 || status === 429);
    } else if (status === 403 || status === 200) {
      this.#failed(item, "You are signed out, or this page is too old. Reload it, and send the file again.", false);
    } else if (status === 404) {
      this.#failed(item, "This chat is no longer yours to write in. Reload the page to see what changed.", false);
    } else {
      this.#failed(item, "That did not work on our side. It is not sent yet: try again in a moment.", true);
    }
  }

  /**
   * @param {Item} item
   * @param {string} sentence
   * @param {boolean} again whether trying again makes sense
   */
  #failed(item, sentence, again) {
    item.row.dataset.state = "failed";
    item.bar.hidden = true;
    item.again.hidden = !again;
    item.away.textContent = "Remove";
    item.away.setAttribute("aria-label", `Remove ${item.file.name}`);
    say(item.state, "not sent");
    say(item.problem, sentence);
    item.row.scrollIntoView({ block: "nearest" });
  }

  /** @param {Item} item */
  #cancel(item) {
    this.#waiting = this.#waiting.filter((other) => other !== item);
    if (this.#now?.item === item) this.#now.request.abort();
    this.#remove(item);
    this.left();
  }

  /** @param {Item} item */
  #remove(item) {
    const hadFocus = item.row.contains(document.activeElement);
    item.row.remove();
    this.tray.hidden = !this.tray.childElementCount;
    if (hadFocus) this.left();
  }

  /**
   * @param {File} file
   * @returns {Item}
   */
  #row(file) {
    const bar = make("progress", { max: "1", value: "0", "aria-label": `Sending ${file.name}` });
    const state = make("span", { class: "chat-file-size" });
    const problem = make("p", { class: "field-error", role: "alert" });
    const again = make("button", { class: "button", type: "button", "aria-label": `Try again: ${file.name}` }, "Try again");
    const away = make("button", { class: "button button-quiet", type: "button" });
    const name = make("span", { class: "chat-file-name" }, file.name);
    const row = make("li", { class: "outgoing" }, name, state, bar, problem, make("div", { class: "cluster" }, again, away));
    const item = { id: uuid(), file, row, bar, state, problem, again, away };
    again.addEventListener("click", () => {
      this.#queue(item);
      this.left();
    });
    away.addEventListener("click", () => this.#cancel(item));
    this.tray.append(row);
    this.tray.hidden = false;
    return item;
  }
}

/**
 * @param {Item} item
 * @param {number} part 0 to 1
 */
function progress(item, part) {
  item.bar.value = part;
  say(item.state, part < 1 ? `sending, ${Math.floor(part * 100)} %` : "arriving…");
}
