/** What people write in the chat, and their files, as nodes: the same as the receipt shows (sessions_app/chat_words.py). */

/** @import {SentFile} from "../events.js" */

import { make } from "../lib/dom.js";

/**
 * Return the nodes of a line: between three ticks a code block, between single ticks code, addresses are links, all else is text.
 * @param {string} body
 * @returns {HTMLElement[]}
 */
export function bodyOf(body) {
  const parts = body.split(/```(?:[\w+#.-]*\n)?([\s\S]*?)(?:```|$)/);
  /** @type {HTMLElement[]} */
  const nodes = [];
  for (const [place, part] of parts.entries()) {
    if (!part.trim()) continue;
    if (place % 2 === 1) nodes.push(make("pre", { tabindex: "0" }, make("code", {}, part.replace(/\n+$/, ""))));
    else nodes.push(make("p", {}, ...inline(part.trim())));
  }
  return nodes;
}

// Code between single ticks, or an address: brackets in pairs are part of it, what ends the sentence around it is not.
const PAIR = String.raw`\([^\s<>"'\x60()]*\)`;
const INLINE = new RegExp(
  String.raw`(\x60[^\x60\n]+\x60|https?://(?:[^\s<>"'\x60()]|${PAIR})*(?:[^\s<>"'\x60().,;:!?\]}]|${PAIR}))`,
);

/**
 * @param {string} text
 * @returns {(Node | string)[]}
 */
function inline(text) {
  return text.split(INLINE).map((piece, place) => {
    if (place % 2 === 0) return piece;
    if (piece.startsWith("`")) return make("code", {}, piece.slice(1, -1));
    return make("a", { href: piece, target: "_blank", rel: "noopener noreferrer" }, piece);
  });
}

/**
 * Return a file as the receipt shows it (templates/sessions/_chat_file.html): a picture in a frame, or a card to download.
 * @param {SentFile} file
 * @param {Node} icon what a card begins with
 * @returns {HTMLElement}
 */
export function fileNode({ name, size, is_image, address }, icon) {
  if (is_image) {
    // The frame has its size before the picture is there: nothing jumps.
    const picture = { src: address, alt: name, width: "240", height: "160", loading: "lazy", decoding: "async" };
    const frame = { class: "chat-picture", href: address, target: "_blank", rel: "noopener" };
    return make("a", frame, make("img", picture));
  }
  const card = make("a", { class: "chat-file", href: address, download: "" }, icon);
  card.append(make("span", { class: "chat-file-name" }, name), make("span", { class: "chat-file-size" }, sizeText(size)));
  return card;
}

/**
 * Return bytes as people read them: 512 bytes, 34 KB, 2.1 MB.
 * @param {number} size
 * @returns {string}
 */
export function sizeText(size) {
  if (size < 1024) return `${size} ${size === 1 ? "byte" : "bytes"}`;
  if (size < 1024 * 1024) return `${Math.ceil(size / 1024)} KB`;
  return `${(size / 1024 / 1024).toFixed(1)} MB`;
}
