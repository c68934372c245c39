/**
 * The room's chat: kept by the server, sent again until the server has it.
 *
 * @import {Chat as ChatMessage, ChatLine, ChatRefused, SentFile, Typing as TypingMessage} from "../events.js"
 */

import { make, need, say, show } from "../lib/dom.js";
import { uuid } from "../lib/id.js";
import { timeOfDay } from "../lib/time.js";
import { takeFiles } from "./attach.js";
import { bodyOf, fileNode } from "./chat_body.js";
import { Outgoing } from "./outgoing.js";
import { Typing } from "./typing.js";

/** Shows the lines in `[data-chat-panel]`, and sends what is written and put there. */
export class Chat {
  /** @type {Map<string, string>} lines the server has not confirmed, by id */
  #outbox;
  /** @type {Map<string, HTMLElement>} */
  #lines = new Map();
  #list;
  #box;
  // Whether the newest line is what the person looks at.
  #follows = true;
  // How far the list was scrolled when it was last looked at.
  #top = 0;
  // Of the list and of each line.
  #sizes = new ResizeObserver(() => {
    if (this.#follows) this.#toEnd();
    this.#top = this.#list.scrollTop;
  });

  /**
   * @param {HTMLElement} root
   * @param {object} setting
   * @param {string} setting.session
   * @param {string} setting.person this person's id
   * @param {string} setting.other the other's name
   * @param {(message: ChatMessage | TypingMessage) => boolean} setting.send false where the connection is gone
   * @param {() => void} setting.heard a line of the other person came
   * @param {() => void} setting.attached the person put files into it, wherever on the page
   * @param {AbortSignal} setting.signal
   */
  constructor(root, { session, person, other, send, heard, attached, signal }) {
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
    this.typing = new Typing(need(root, "[data-typing]", HTMLElement), other, () => send({ type: "typing" }));
    this.#box.addEventListener("input", () => this.typing.changed(this.#box.value), { signal });
    this.#takeFiles(attached, signal);
    this.#keepNewestInView(signal);
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
    if (line.author === this.person) return;
    this.typing.hide();
    if (isNew) this.heard();
  }

  /**
   * A line is not kept: its words are in the box again, behind what was typed meanwhile, and the sentence says why.
   * @param {ChatRefused} refusal
   */
  refused({ id, message }) {
    say(need(this.root, "[data-chat-problem]", HTMLElement), message);
    const words = this.#outbox.get(id);
    if (words === undefined) return;
    const together = [this.#box.value, words].filter(Boolean).join("\n");
    // More than one line takes: it stays where it is, and is sent again when the page comes back.
    if (this.#box.maxLength > 0 && together.length > this.#box.maxLength) return;
    this.#outbox.delete(id);
    this.#keep();
    this.#lines.get(id)?.remove();
    this.#lines.delete(id);
    show(this.root, "[data-chat-empty]", !this.#lines.size);
    this.#box.value = together;
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

  /**
   * @param {() => void} attached
   * @param {AbortSignal} signal
   */
  #takeFiles(attached, signal) {
    const problem = need(this.root, "[data-chat-problem]", HTMLElement);
    const outgoing = new Outgoing(need(this.root, "[data-outgoing]", HTMLElement), {
      address: this.root.dataset.files ?? "",
      token: need(document, "input[name=csrfmiddlewaretoken]", HTMLInputElement).value,
      most: Number(this.root.dataset.most),
      sent: (line) => this.add(line),
      left: () => this.#box.focus(),
      signal,
    });
    takeFiles(this.root, {
      // The call shows, whether or not the chat does.
      open: () => !this.root.parentElement?.closest("[hidden]"),
      take: (files) => {
        if (files.length) attached();
        for (const file of files) outgoing.add(file);
      },
      problem: (sentence) => {
        attached();
        say(problem, sentence);
      },
      signal,
    });
    this.#box.addEventListener("input", () => say(problem, ""), { signal });
  }

  /** @param {AbortSignal} signal */
  #keepNewestInView(signal) {
    const list = this.#list;
    const scrolled = () => {
      // Only who scrolls back leaves the end. It goes out of view by itself too, where a line grows or the list shrinks, and
      // that is told late.
      if (list.scrollHeight - list.scrollTop - list.clientHeight < 40) this.#follows = true;
      else if (list.scrollTop < this.#top) this.#follows = false;
      this.#top = list.scrollTop;
    };
    list.addEventListener("scroll", scrolled, { signal });
    // A phone's keyboard takes half of the page, and a chat that was closed is opened.
    this.#sizes.observe(list);
    signal.addEventListener("abort", () => this.#sizes.disconnect());
  }

  #toEnd() {
    this.#list.scrollTop = this.#list.scrollHeight;
    this.#top = this.#list.scrollTop;
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
    this.typing.sent();
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
    const shown = this.#lines.get(id);
    // Said again after a gap: a reader of the page hears each line once, and pictures stay.
    // Its time does not tell whether it is the same: MongoDB keeps milliseconds of the microseconds it was first said with.
    if (line && shown?.dataset.at) return;
    const mine = !line || line.author === this.person;
    const who = line ? `${mine ? "You" : line.name} · ${timeOfDay(line.sent_at)}` : "You · sending…";
    const item = make("li", { class: mine ? "chat-line chat-mine" : "chat-line" });
    item.dataset.at = line?.sent_at ?? "";
    item.append(make("p", { class: "chat-who" }, who), ...(line?.file ? [this.#file(line.file)] : bodyOf(body)));
    shown?.remove();
    this.#lines.set(id, item);
    this.#list.insertBefore(item, line && this.#firstAfter(line.sent_at));
    this.#sizes.observe(item);
    show(this.root, "[data-chat-empty]", false);
    if (this.#follows || mine) this.#toEnd();
  }

  /**
   * Return the first line that was sent later; null where there is none. Looked for from the end, where a new line mostly belongs.
   * @param {string} moment
   */
  #firstAfter(moment) {
    let before = this.#list.lastElementChild;
    while (before instanceof HTMLElement && isLater(before, moment)) before = before.previousElementSibling;
    return before ? before.nextElementSibling : this.#list.firstElementChild;
  }

  /** @param {SentFile} file */
  #file(file) {
    return fileNode(file, need(this.root, "template[data-file-icon]", HTMLTemplateElement).content.cloneNode(true));
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
