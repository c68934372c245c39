/**
 * The page of one help session: keeps its `[data-live]` part as the server has it, and gives it to the waiting page or the room.
 *
 * @import {SessionEvent, SessionMessage} from "./events.js"
 * @import {SocketState} from "./lib/socket.js"
 */

import { TitleFlash } from "./lib/attention.js";
import { connectionLine } from "./lib/connection.js";
import { copyButtons } from "./lib/copy.js";
import { find, make, need, say } from "./lib/dom.js";
import { LocalMedia } from "./lib/local_media.js";
import { LiveSocket } from "./lib/socket.js";
import { Chime } from "./lib/sound.js";
import { Room } from "./room/main.js";
import { Candidate, Waiting } from "./waiting.js";

/**
 * @typedef {object} Shown what the server rendered (`data-*` of the live part)
 * @property {string} state
 * @property {boolean} settled
 * @property {string} charge
 */

const IN_ROOM = ["accepted", "active"];
// Nothing more happens to these while somebody looks.
const DONE = ["cancelled", "expired"];
const PAID = ["charged", "free"];

const live = need(document, "[data-live]", HTMLElement);
const media = new LocalMedia();
const chime = new Chime();
const flash = new TitleFlash();
const announcer = make("p", { class: "visually-hidden", role: "status", "aria-live": "polite" });
live.after(announcer);

/** @type {Room | Waiting | Candidate | null} */
let part = null;
let swaps = 0;
// Whether the browser is on its way to another page: what is shown here does not matter any more.
let leaving = false;

/** @type {LiveSocket<SessionEvent, SessionMessage>} */
const socket = new LiveSocket(`/ws/sessions/${live.dataset.session}/`, { hear, change: connectionChanged });
const showConnection = connectionLine();

mount();
if (live.dataset.role !== "candidate" && !isDone(shown())) socket.open();
// The click that a browser wants before it lets a page sound.
document.addEventListener("pointerdown", () => chime.prepare(), { once: true });
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form instanceof HTMLFormElement && form.method === "post" && !event.defaultPrevented) leaving = true;
});
addEventListener("pageshow", () => (leaving = false));
document.addEventListener("visibilitychange", () => document.hidden || flash.stop());

/** @returns {Shown} */
function shown() {
  return { state: live.dataset.state ?? "", settled: live.dataset.settled === "yes", charge: live.dataset.charge ?? "" };
}

/** @param {Shown} what */
function isDone({ state, charge }) {
  return DONE.includes(state) || (state === "ended" && PAID.includes(charge));
}

/** Give what is shown to its script. */
function mount() {
  const room = find(live, "[data-room]");
  const waiting = find(live, "[data-waiting]");
  const candidate = find(live, "[data-candidate]");
  if (room) part = new Room(room, socket, media);
  else if (waiting) part = new Waiting(waiting, media, () => void swap());
  else if (candidate) part = new Candidate(candidate);
  else media.closeAll();
  copyButtons(live);
}

/** @param {SessionEvent} event */
function hear(event) {
  if (event.type === "session_changed") changed(event);
  if (part instanceof Room) part.hear(event);
}

/** @param {SocketState} state */
function connectionChanged(state) {
  showConnection(state);
  // A form on its way may be what dismissed the page: a reload now would take its answer away.
  if (part instanceof Room && !leaving) part.connection(state);
}

/** @param {Shown} now what the session has become */
function changed(now) {
  const before = shown();
  if (now.state === before.state && now.settled === before.settled && now.charge === before.charge) {
    if (part instanceof Waiting) part.changed();
    return;
  }
  if (IN_ROOM.includes(before.state) && IN_ROOM.includes(now.state)) {
    // The room stays as it is; it shows the new state by itself.
    live.dataset.state = now.state;
    return;
  }
  if (now.state === "accepted" && document.hidden) flash.start("Your expert is here");
  if (now.state === "accepted") chime.once();
  void swap();
}

/** Fetch the page again and show its live part. */
async function swap() {
  if (leaving) return;
  const turn = (swaps += 1);
  const before = shown().state;
  let fresh;
  try {
    const response = await fetch(location.href, { headers: { Accept: "text/html" }, cache: "no-store" });
    if ([404, 410].includes(response.status) || response.redirected) {
      // No longer this person's: an expert's place is the board, anybody else's is the list of sessions.
      leaving = true;
      location.assign(live.dataset.away ?? "/sessions/");
      return;
    }
    if (!response.ok) return; // the next event, or the guard's, brings us here again
    fresh = new DOMParser().parseFromString(await response.text(), "text/html");
  } catch {
    return; // the connection is gone: the socket asks for the state when it is back
  }
  const next = find(fresh, "[data-live]");
  if (turn !== swaps || !next) return;
  if (next.dataset.state === before && before === "requested") replaceHappening(next);
  else replaceAll(next, fresh.title);
}

/**
 * Still waiting: only what is happening, until when, and the choice may have changed; the device check stays as it is.
 * @param {HTMLElement} next
 */
function replaceHappening(next) {
  const [now, then] = [find(live, "[data-happening]"), find(next, "[data-happening]")];
  if (now && then && now.innerHTML !== then.innerHTML) now.replaceChildren(...then.childNodes);
  const [waiting, fresh] = [find(live, "[data-waiting]"), find(next, "[data-waiting]")];
  if (waiting && fresh) Object.assign(waiting.dataset, { expires: fresh.dataset.expires, changes: fresh.dataset.changes });
  const [choice, freshChoice] = [find(live, "[data-choice]"), find(next, "[data-choice]")];
  if (!choice || !freshChoice || choice.hidden === freshChoice.hidden) return;
  choice.hidden = freshChoice.hidden;
  if (!choice.hidden || document.activeElement !== document.body) return;
  // The button just pressed is gone, and the focus with it: go on from the heading.
  const heading = need(live, "h1", HTMLElement);
  heading.tabIndex = -1;
  heading.focus({ preventScroll: true });
}

/**
 * @param {HTMLElement} next
 * @param {string} title
 */
function replaceAll(next, title) {
  const hadFocus = live.contains(document.activeElement);
  const typingIn = document.activeElement instanceof HTMLTextAreaElement ? document.activeElement.name : "";
  const leftCall = part instanceof Room && part.joined;
  part?.close();
  part = null;
  if (leftCall) {
    // A goodbye: the server counts this person's presence to this moment, and settles.
    socket.close();
    socket.open();
  }
  keepTyped(next);
  for (const [name, value] of Object.entries(next.dataset)) live.dataset[name] = value;
  live.replaceChildren(...next.childNodes);
  document.title = title;
  const heading = find(live, "h1, h2");
  say(announcer, heading?.textContent?.trim() ?? "");
  const box = typingIn ? find(live, `textarea[name="${typingIn}"]`) : null;
  if (box) {
    // The charge came through while somebody was writing: they go on writing.
    box.focus();
  } else if (hadFocus && heading) {
    heading.tabIndex = -1;
    heading.focus();
  }
  mount();
  if (isDone(shown())) socket.close();
}

/**
 * What a person has typed in a form stays where the form stays.
 * @param {HTMLElement} next
 */
function keepTyped(next) {
  for (const old of live.querySelectorAll("textarea[name]")) {
    const twin = next.querySelector(`textarea[name="${old.getAttribute("name")}"]`);
    if (old instanceof HTMLTextAreaElement && twin instanceof HTMLTextAreaElement && old.value) twin.value = old.value;
  }
  for (const old of live.querySelectorAll("input[type=radio]:checked")) {
    const [name, value] = [old.getAttribute("name"), old.getAttribute("value")];
    const twin = next.querySelector(`input[type=radio][name="${name}"][value="${value}"]`);
    if (twin instanceof HTMLInputElement) twin.checked = true;
  }
}
