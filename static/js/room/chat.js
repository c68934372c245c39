/**
 * The room's chat: kept by the server, sent again until the server has it.
 *
 * @import {Chat as ChatMessage, ChatLine} from "../events.js"
 */

import { make, need, show } from "../lib/dom.js";
import { uuid } from "../lib/id.js";
import { timeOfDay } from "../lib/time.js";

/** Shows the lines in `[data-chat]`, and sends what is written there. */
export class Chat {
  /** @type {Map<string, string>} lines the server has not confirmed, by id */
  #outbox;
  /** @type {Map<string, HTMLElement>} */
  #lines = new Map();
  #list;
  #box;

  /**
   * @param {HTMLElement} root
   * @param {object} setting
   * @param {string} setting.session
   * @param {string} setting.person this person's id
   * @param {(message: ChatMessage) => boolean} setting.send false where the connection is gone
   * @param {() => void} setting.heard a line of the other person came
   * @param {AbortSignal} setting.signal
   */
  constructor(root, { session, person, send, heard, signal }) {
    this.root = root;
    this.person = person;
    this.send = send;
    this.heard = heard;
    this.key = `hopps.outbox.${session}`;
    this.#outbox = new Map(JSON.parse(sessionStorage.getItem(this.key) ?? "[]"));
    this.#list = need(root, "[data-chat-lines]", HTMLElement);
    this.#box = need(root, "textarea", HTMLTextAreaElement);
    const form = need(root, "form", HTMLFormElement);
    form.addEventListener("submit", (event) => this.#submit(event), { signal });
    this.#box.addEventListener("keydown", (event) => this.#key(event, form), { signal });
    for (const [id, body] of this.#outbox) this.#place(id, body, null);
  }

  /**
   * A line came back from the server, one's own or the other's.
   * @param {ChatLine} line
   */
  add(line) {
    if (this.#outbox.delete(line.id)) this.#keep();
    const isNew = !this.#lines.has(line.id);
    this.#place(line.id, line.body, line);
    if (isNew && line.author !== this.person) this.heard();
  }

  /**
   * The room let this page in: show what was said, and send what did not arrive.
   * @param {ChatLine[]} lines
   */
  welcome(lines) {
    for (const line of lines) {
      this.#outbox.delete(line.id);
      this.#place(line.id, line.body, line);
    }
    this.#keep();
    for (const [id, body] of this.#outbox) this.send({ type: "chat", id, body });
  }

  /** @param {SubmitEvent} event */
  #submit(event) {
    event.preventDefault();
    const body = this.#box.value.trim();
    if (!body) return;
    const id = uuid();
    this.#outbox.set(id, body);
    this.#keep();
    this.#place(id, body, null);
    this.send({ type: "chat", id, body });
    this.#box.value = "";
    this.#box.focus();
  }

  /**
   * @param {KeyboardEvent} event
   * @param {HTMLFormElement} form
   */
  #key(event, form) {
    // Inside a code block that is not closed yet, Enter is a new line.
    const inCode = (this.#box.value.match(/```/g)?.length ?? 0) % 2 === 1;
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || inCode) return;
    event.preventDefault();
    form.requestSubmit();
  }

  #keep() {
    sessionStorage.setItem(this.key, JSON.stringify([...this.#outbox]));
  }

  /**
   * Show a line at its place in time; one that is still on its way comes last.
   * @param {string} id
   * @param {string} body
   * @param {ChatLine | null} line what the server said, once it has it
   */
  #place(id, body, line) {
    const mine = !line || line.author === this.person;
    const who = line ? `${mine ? "You" : line.name} · ${timeOfDay(line.sent_at)}` : "You · sending…";
    const item = make("li", { class: mine ? "chat-line chat-mine" : "chat-line" });
    item.dataset.at = line?.sent_at ?? "";
    item.append(make("p", { class: "chat-who" }, who), ...bodyOf(body));
    const atEnd = this.#list.scrollHeight - this.#list.scrollTop - this.#list.clientHeight < 40;
    this.#lines.get(id)?.remove();
    this.#lines.set(id, item);
    const later = line && [...this.#lines.values()].find((other) => other !== item && isLater(other, line.sent_at));
    if (later) later.before(item);
    else this.#list.append(item);
    show(this.root, "[data-chat-empty]", false);
    if (atEnd || mine) this.#list.scrollTop = this.#list.scrollHeight;
  }
}

/**
 * @param {HTMLElement} item
 * @param {string} moment
 */
function isLater(item, moment) {
  const at = item.dataset.at;
  return at === "" || (at !== undefined && Date.parse(at) > Date.parse(moment));
}

/**
 * Return the nodes of a line: between three ticks a code block, between single ticks code, addresses are links, all else is text.
 * @param {string} body
 * @returns {HTMLElement[]}
 */
function bodyOf(body) {
  const parts = body.split(/```(?:[\w+#.-]*\n)?([\s\S]*?)(?:```|$)/);
  /** @type {HTMLElement[]} */
  const nodes = [];
  for (const [place, part] of parts.entries()) {
    const text = part.trim();
    if (place % 2 === 1) nodes.push(make("pre", { tabindex: "0" }, make("code", {}, part.replace(/\n$/, ""))));
    else if (text) nodes.push(make("p", {}, ...inline(text)));
  }
  return nodes;
}

/**
 * @param {string} text
 * @returns {(Node | string)[]}
 */
function inline(text) {
  return text.split(/(`[^`\n]+`|https?:\/\/[^\s<>"']+)/).map((piece, place) => {
    if (place % 2 === 0) return piece;
    if (piece.startsWith("`")) return make("code", {}, piece.slice(1, -1));
    return make("a", { href: piece, target: "_blank", rel: "noopener noreferrer" }, piece);
  });
}
