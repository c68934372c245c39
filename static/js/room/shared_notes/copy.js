/**
 * This page's copy of the shared notes: what the server has, and on top of it what is still on its way there.
 *
 * One edit is on its way at a time; what is written meanwhile waits, as one change. When an edit of somebody else comes,
 * both are made anew as if they had been written after it, which is what the server does with them too (decision 0016).
 * Knows nothing of pages and sockets: tests run it in Node.
 *
 * @import {EditNotes, NotesEdited, NotesText, ReadNotes} from "../../events.js"
 * @import {Change} from "./change.js"
 */

import { uuid } from "../../lib/id.js";
import { apply, changesAnything, difference, joined, parted, rebase } from "./change.js";

// In letters, so that a message stays under the 64 KB a socket takes, however it is written.
const MOST_AT_ONCE = 9_000;

/** @typedef {{revision: number, sent: {id: string, change: Change} | null, waiting: Change | null}} Unsaved what a reload must not lose */

/** The text, and how it gets to the server. */
export class NotesCopy {
  text = "";
  /** The revision this copy stands on; -1: not read yet. */
  revision = -1;
  /** @type {NotesEdited | null} who wrote last */
  last = null;
  // Whether the server has told this connection where the notes stand: before that, nothing can be sent.
  #ready = false;
  /** @type {Unsaved["sent"]} */
  #sent = null;
  /** @type {Change | null} */
  #waiting = null;
  /** @type {Map<number, NotesEdited>} edits that came before the one before them */
  #early = new Map();
  // Whether the text was read, and nothing refused since.
  #told = false;
  // Whether the text is known to be another than the server's.
  #astray = false;

  /**
   * @param {object} setting
   * @param {string} setting.person this person's id
   * @param {boolean} setting.isCustomer
   * @param {(message: EditNotes) => void} setting.send
   * @param {Unsaved | null} unsaved from before a reload
   */
  constructor({ person, isCustomer, send }, unsaved) {
    this.person = person;
    this.isCustomer = isCustomer;
    this.send = send;
    if (!unsaved) return;
    this.revision = unsaved.revision;
    this.#sent = unsaved.sent;
    this.#waiting = unsaved.waiting;
  }

  /** @returns {Unsaved | null} */
  get unsaved() {
    if (!this.#sent && !this.#waiting) return null;
    return { revision: this.revision, sent: this.#sent, waiting: this.#waiting };
  }

  /** Whether the text is known: otherwise, nobody can write. */
  get isRead() {
    return this.#told;
  }

  /** What to ask the server when there may be news. @returns {ReadNotes} */
  get question() {
    // On a new connection too: should the two have parted, they are of one mind again.
    const text = !this.#ready || this.#astray;
    return { type: "read_notes", since: this.revision < 0 ? null : this.revision, text };
  }

  /**
   * The person changed the text.
   * @param {Change} change
   */
  write(change) {
    this.text = apply(this.text, change);
    this.#waiting = this.#waiting ? joined(this.#waiting, change) : change;
    if (!changesAnything(this.#waiting)) this.#waiting = null;
  }

  /** Send what waits, unless something is on its way. @returns {boolean} whether something was sent */
  flush() {
    if (!this.#ready || this.#sent || !this.#waiting) return false;
    const [change, rest] = parted(this.#waiting, MOST_AT_ONCE);
    this.#sent = { id: uuid(), change };
    this.#waiting = rest;
    this.#sendAgain();
    return true;
  }

  #sendAgain() {
    if (this.#sent) this.send({ type: "edit_notes", base: this.revision, ...this.#sent });
  }

  /** The connection is gone: nothing is sent until `read` has told what became of the edit that was on its way. */
  lost() {
    this.#ready = false;
  }

  /**
   * The server did not keep what was on its way. What waits was written on top of that: both go, and the text has to be read
   * anew before anybody writes on.
   * @returns {string} the words that were not kept
   */
  refused() {
    const sent = this.#sent?.change ?? [];
    const change = this.#waiting ? joined(sent, this.#waiting) : sent;
    this.#sent = this.#waiting = null;
    this.#told = this.#ready = false;
    return change.filter((step) => typeof step === "string").join("\n");
  }

  /**
   * The server answered where the notes stand.
   * @param {NotesText} told
   * @param {(change: Change) => void} changed `text` was changed, and not by this person; called after each
   */
  read(told, changed) {
    const known = this.#told && !this.#astray;
    // Otherwise it was overtaken by edits that came in between.
    if (told.revision >= this.revision) {
      for (const edit of told.missed) this.#take(edit, known ? changed : null);
      this.revision = told.revision;
      this.last = told.last ?? this.last;
      if (told.body !== null) {
        const text = this.#onTopOf(told.body);
        const change = difference(this.text, text);
        this.text = text;
        this.#told = true;
        this.#astray = false;
        changed(change);
      }
    }
    this.#drainEarly(changed);
    this.#ready = this.#told;
    // The other took out everything that it would have changed.
    if (this.#sent && !changesAnything(this.#sent.change)) this.#sent = null;
    this.#sendAgain();
    this.flush();
  }

  /** @param {string} body */
  #onTopOf(body) {
    try {
      let text = body;
      for (const change of [this.#sent?.change, this.#waiting]) text = change ? apply(text, change) : text;
      return text;
    } catch (problem) {
      if (!(problem instanceof RangeError)) throw problem;
      // What was stored before a reload is not of this text: what the server has is true.
      this.#sent = this.#waiting = null;
      return body;
    }
  }

  /**
   * The server kept an edit, of this page or of another.
   * @param {NotesEdited} edit
   * @param {(change: Change) => void} changed
   * @returns {boolean} whether the two copies are of one mind; false: ask the server where the notes stand
   */
  hear(edit, changed) {
    this.#early.set(edit.revision, edit);
    this.#drainEarly(changed);
    return !this.#astray && this.#early.size === 0;
  }

  /** @param {(change: Change) => void} changed */
  #drainEarly(changed) {
    for (let next; this.#told && !this.#astray && (next = this.#early.get(this.revision + 1)); ) this.#take(next, changed);
    for (const revision of this.#early.keys()) if (revision <= this.revision) this.#early.delete(revision);
  }

  /**
   * @param {NotesEdited} edit
   * @param {((change: Change) => void) | null} changed null where the text is not known yet
   */
  #take(edit, changed) {
    if (edit.revision <= this.revision) return;
    this.revision = edit.revision;
    this.last = edit;
    if (this.#sent?.id === edit.id) {
      // Where it was kept otherwise than it was sent (by a copy of this tab), the text here is not the server's.
      if (changed && JSON.stringify(this.#sent.change) !== JSON.stringify(edit.change)) this.#astray = true;
      this.#sent = null;
      return;
    }
    let { change } = edit;
    // As the server does it (sessions_app/notes.py): the customer's words stand first, so that each one's stay together.
    const theirsFirst = !this.isCustomer || edit.author === this.person;
    if (this.#sent) {
      const ours = this.#sent.change;
      this.#sent = { id: this.#sent.id, change: rebase(ours, change, theirsFirst) };
      change = rebase(change, ours, !theirsFirst);
    }
    if (this.#waiting) {
      const ours = this.#waiting;
      const later = rebase(ours, change, theirsFirst);
      this.#waiting = changesAnything(later) ? later : null;
      change = rebase(change, ours, !theirsFirst);
    }
    if (changed) {
      this.text = apply(this.text, change);
      changed(change);
    }
  }
}
