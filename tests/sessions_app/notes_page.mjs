/**
 * Pages' copies of the shared notes, for tests/sessions_app/notes_pages.py: a command a line in, what became of it out.
 * Places and lengths are code points, as Python counts.
 */

import { createInterface } from "node:readline";
import * as changes from "./room/shared_notes/change.js";
import { NotesCopy } from "./room/shared_notes/copy.js";
import { Undo } from "./room/shared_notes/undo.js";

const pages = new Map();

const commands = {
  open({ page, unsaved, person, isCustomer }) {
    const one = { sends: [], refused: "", undo: new Undo() };
    one.copy = new NotesCopy({ person, isCustomer, send: (message) => one.sends.push(message) }, unsaved);
    pages.set(page, one);
  },
  type({ copy, undo }, { at, cut, text }) {
    const before = copy.text;
    const letters = Array.from(before);
    letters.splice(at, cut, ...text);
    const after = letters.join("");
    const caret = (letters.slice(0, at).join("") + text).length;
    const change = changes.difference(before, after, caret);
    undo.wrote(before, change, 0);
    copy.write(change);
    copy.flush();
    if (copy.text !== after) throw new Error(`${copy.text} is not ${after}`);
  },
  turn({ copy, undo }, { way }) {
    const change = undo[way](copy.text);
    if (change) copy.write(change);
    copy.flush();
  },
  hear({ copy, undo }, { event }) {
    const agreed = copy.hear(event, (change) => undo.fit(change));
    copy.flush();
    return agreed;
  },
  read({ copy, undo }, { event }) {
    copy.read(event, (change) => undo.fit(change));
  },
  refuse(one) {
    one.refused = one.copy.refused();
    return false;
  },
  lost({ copy }) {
    copy.lost();
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const command = JSON.parse(line);
  if (command.call) {
    console.log(JSON.stringify(changes[command.call](...command.with)));
    continue;
  }
  if (command.do === "open") commands.open(command);
  const one = pages.get(command.page);
  const agreed = command.do === "open" ? true : commands[command.do](one, command) ?? true;
  const { text, unsaved, question, isRead } = one.copy;
  const { refused } = one;
  one.refused = "";
  console.log(JSON.stringify({ text, unsaved, question, isRead, agreed, refused, sends: one.sends.splice(0) }));
}
