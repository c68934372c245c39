/**
 * The room of an accepted or active session: lobby, call, and what a second tab leaves behind.
 *
 * @import {SessionEvent, SessionMessage} from "../events.js"
 * @import {LiveSocket, SocketState} from "../lib/socket.js"
 * @import {LocalMedia} from "../lib/local_media.js"
 * @import {Carrier, RoomAdapter} from "./adapter.js"
 * @import {Sends} from "./controls.js"
 */

import { DeviceCheck } from "../device_check.js";
import { all, make, need, say, show } from "../lib/dom.js";
import { Refused, showError, submitInPlace } from "../lib/forms.js";
import { uuid } from "../lib/id.js";
import { makeAdapter } from "./adapters.js";
import { Chat } from "./chat.js";
import { ClockView } from "./clock.js";
import { Controls } from "./controls.js";
import { Grants } from "./grants.js";
import { watchLine } from "./line_watch.js";
import { Meeting } from "./meeting.js";
import { Notes } from "./notes.js";
import { saidInPlace } from "./person.js";
import { Renewal } from "./renewal.js";
import { SharedNotes } from "./shared_notes/view.js";
import { Side } from "./side.js";
import { Stage } from "./stage.js";
import { statusOf } from "./status.js";

/** @typedef {"lobby" | "joining" | "call" | "moved"} Mode */

/** One `[data-room]` element, for as long as it is shown. */
export class Room {
  /** @type {Mode} */
  #mode = "lobby";
  /** @type {RoomAdapter | null} */
  #adapter = null;
  #page = "";
  /** @type {string | null} the grant of this joining, until the room let us in */
  #grant = null;
  // Whether a page that was in the call before asked to be let in again.
  #returning = false;
  // Whether this joining said that the line is up.
  #toldFlowing = false;
  #meeting = new Meeting(() => this.#status());
  // Whether the other said goodbye since they were here last.
  #left = false;
  #presence = { customer: false, expert: false };
  #renewal = new Renewal(() => this.socket.send({ type: "renew_video" }));
  #ends = new AbortController();

  /**
   * @param {HTMLElement} root
   * @param {LiveSocket<SessionEvent, SessionMessage>} socket
   * @param {LocalMedia} media
   */
  constructor(root, socket, media) {
    const { signal } = this.#ends;
    const { session = "", person = "", role = "", other = "", state = "" } = root.dataset;
    this.root = root;
    this.socket = socket;
    this.media = media;
    this.role = role;
    this.other = other;
    this.state = state;
    this.key = `hopps.call.${session}`;
    this.joinForm = need(root, "[data-join]", HTMLFormElement);
    this.grants = new Grants(this.joinForm, signal);
    this.devices = need(root, "[data-devices]", HTMLElement);
    this.clock = new ClockView(root);
    this.check = new DeviceCheck(this.devices, media);
    this.stage = new Stage(need(root, "[data-stage]", HTMLElement), other, () => this.#connectionChanged(), signal);
    this.notes = new Notes(need(root, "[data-notes]", HTMLElement));
    this.side = new Side(root, signal);
    this.sharedNotes = new SharedNotes(need(root, "[data-shared-notes]", HTMLElement), {
      session,
      person,
      isCustomer: role === "customer",
      send: (message) => socket.send(message),
      heard: () => this.side.news("notes"),
      signal,
    });
    this.chat = new Chat(need(root, "[data-chat-panel]", HTMLElement), {
      session,
      person,
      other,
      send: (line) => socket.send(line),
      heard: () => this.side.news("chat"),
      attached: () => this.side.show("chat"),
      signal,
    });
    this.controls = new Controls(need(root, "[data-controls]", HTMLElement), {
      media,
      notes: this.notes,
      session,
      changed: (sends) => this.#sendsChanged(sends),
      signal,
    });
    watchLine({ quality: () => this.stage.outbound, controls: this.controls, notes: this.notes, signal });
    const offerChatOnly = () => show(this.joinForm, "[data-chat-only]", !media.tracks.microphone);
    media.addEventListener("change", offerChatOnly, { signal });
    offerChatOnly();
    this.#listen(signal);
    this.#show("lobby");
    // Pressed before this script was there: the form went to the server, which sent the person back with this hash.
    const pressed = location.hash === "#join";
    if (pressed) history.replaceState(null, "", location.pathname);
    // This tab was in the call before it was reloaded: it goes back by itself.
    if (pressed || sessionStorage.getItem(this.key)) void this.enter();
    else this.grants.prepare();
  }

  // --- coming and going ---

  /**
   * Join the call with a fresh grant, as a new page.
   * @param {boolean} [chatOnly] with neither camera nor microphone
   */
  async enter(chatOnly) {
    if (this.#mode === "joining" || this.#mode === "call") return;
    this.#show("joining");
    showError(this.joinForm, "");
    const page = (this.#page = uuid());
    // While the server is asked: devices take their time.
    this.controls.start(chatOnly);
    try {
      const grant = await this.grants.take();
      if (this.#page !== page) return;
      this.#grant = grant;
      this.#join();
    } catch (problem) {
      if (!(problem instanceof Refused)) throw problem;
      if (this.#page === page) this.#backToLobby(problem.message);
    }
  }

  /** Tell the room who we are: with the grant the first time, by the page's id after a gap. */
  #join() {
    this.#returning = this.#grant === null;
    this.#toldFlowing = false;
    this.socket.send({ type: "join", page: this.#page, grant: this.#grant });
  }

  /**
   * The server says what carries the call: on coming in, with fresh credentials, or because it is rerouted.
   * @param {Carrier} carrier
   */
  #carry(carrier) {
    if (!this.#page) return;
    if (this.#adapter?.kind === carrier.type) {
      this.#adapter.useCarrier(carrier);
      this.#renewal.came(carrier);
      return;
    }
    this.#adapter?.close();
    this.#adapter = makeAdapter(carrier, {
      page: this.#page,
      listener: this.stage,
      sendSignal: (to, data) => this.socket.send({ type: "signal", to, data }),
      fresh: () => this.#renewal.fresh(),
      sdk: this.root.dataset.twilioSdk ?? "",
      failed: (reason) => this.socket.send({ type: "video_failed", reason }),
    });
    this.#renewal.came(carrier);
    this.controls.attach(this.#adapter);
  }

  /** @param {string} sentence why */
  #backToLobby(sentence) {
    this.#leave("lobby");
    showError(this.joinForm, sentence);
  }

  /** @param {"lobby" | "moved"} mode */
  #leave(mode) {
    sessionStorage.removeItem(this.key);
    this.#drop();
    this.#show(mode);
  }

  #drop() {
    this.socket.beatEvery();
    this.#page = "";
    this.#grant = null;
    this.#adapter?.close();
    this.#adapter = null;
    this.#renewal.stop();
    this.controls.detach();
    this.stage.clear();
  }

  /** The session is over or another's: let go of everything. */
  close() {
    sessionStorage.removeItem(this.key);
    this.#ends.abort();
    this.check.close();
    this.clock.close();
    this.#drop();
    this.#meeting.stop();
  }

  /** Whether this tab is in the call, so that the server must hear that it left. */
  get joined() {
    return this.#mode === "call";
  }

  // --- what the server says ---

  /** @param {SessionEvent} event */
  hear(event) {
    switch (event.type) {
      case "carried_by_peer":
      case "carried_by_twilio":
        this.#carry(event);
        break;
      case "welcome":
        this.#welcomed();
        this.socket.beatEvery(event.beat_seconds * 1000);
        this.chat.welcome(event.chat);
        this.sharedNotes.welcome();
        break;
      case "clock":
        this.clock.set(event);
        this.#capSeen(event.cap_minutes);
        break;
      case "presence":
        this.#presence = event;
        // A page that was reloaded may be back before the one it was is gone.
        if (this.#otherHere) this.#left = false;
        break;
      case "peer_left":
        this.#left = event.goodbye;
        break;
      case "session_changed":
        this.state = event.state;
        break;
      case "chat_line":
        this.chat.add(event);
        break;
      case "chat_refused":
        this.chat.refused(event);
        break;
      case "other_types":
        this.chat.typing.show();
        break;
      case "media_state":
        this.stage.setSends(event);
        break;
      case "moved":
        this.#leave("moved");
        break;
      case "peer_joined":
        this.#sendsChanged(this.controls.sends);
        break;
      case "error":
        this.#refused(event.message);
        break;
    }
    this.sharedNotes.hear(event);
    this.#adapter?.hear(event);
    this.#status();
  }

  /** @param {SocketState} state */
  connection(state) {
    // Signed out in another tab, or the session is somebody else's now: what the person may see, the server knows.
    // Camera and line to the other end with this page.
    if (state === "dismissed") return location.reload();
    if (state === "lost") this.clock.hold();
    if (state === "lost") this.sharedNotes.lost();
    if (state === "open" && this.#page && (this.#grant || this.#mode === "call")) this.#join();
    this.#status();
  }

  /**
   * The form for more time says which cap the person saw, so that sending it twice extends once.
   *
   * @param {number} minutes
   */
  #capSeen(minutes) {
    const field = this.root.querySelector("input[name=seen_cap_minutes]");
    if (!(field instanceof HTMLInputElement) || field.value === String(minutes)) return;
    field.value = String(minutes);
    // More time was had one way or the other: the bank has nothing left to ask.
    show(this.root, "[data-bank]", false);
  }

  #welcomed() {
    this.#grant = null;
    this.#returning = false;
    sessionStorage.setItem(this.key, "joined");
    this.#show("call");
    this.#sendsChanged(this.controls.sends);
    this.#tellFlowing();
  }

  #connectionChanged() {
    this.#meeting.connection(this.stage.connection);
    this.#tellFlowing();
    this.#status();
  }

  /** Tell the server, once a joining, that the two are connected: nobody pays for a call that never was. */
  #tellFlowing() {
    if (this.#toldFlowing || this.#mode !== "call" || this.stage.connection !== "connected") return;
    this.#toldFlowing = this.socket.send({ type: "media_flowing" });
  }

  /** @param {string} sentence */
  #refused(sentence) {
    if (this.#mode === "joining") {
      this.#backToLobby(sentence);
    } else if (this.#returning) {
      // Not let back in as the page we were: as a new one, with a fresh grant.
      this.#returning = false;
      this.#mode = "lobby";
      this.#adapter?.close();
      this.#adapter = null;
      void this.enter();
    } else {
      this.#problem(sentence);
    }
  }

  /** @param {Sends} sends */
  #sendsChanged(sends) {
    this.stage.setOwn(this.media.tracks.camera, this.controls.screen);
    this.stage.useSpeaker();
    if (this.#mode === "call") this.socket.send({ type: "media", ...sends });
  }

  // --- what is shown ---

  get #otherHere() {
    return this.role === "customer" ? this.#presence.expert : this.#presence.customer;
  }

  /** @param {Mode} mode */
  #show(mode) {
    this.#mode = mode;
    const inCall = mode === "call";
    this.root.dataset.mode = mode;
    // The call fills the window; lobby and the rest are pages like any other.
    this.root.classList.toggle("room", inCall);
    for (const part of all(this.root, "[data-in]")) part.hidden = part.dataset.in !== (mode === "joining" ? "lobby" : mode);
    const place = inCall ? "#devices-dialog [data-place]" : "[data-lobby] [data-place]";
    need(this.root, place, HTMLElement).append(this.devices);
    const button = need(this.joinForm, "button", HTMLButtonElement);
    button.setAttribute("aria-busy", String(mode === "joining"));
    this.#status();
  }

  #status() {
    for (const part of all(this.root, "[data-when]")) part.hidden = part.dataset.when !== this.state;
    const otherHere = this.#otherHere;
    this.stage.setOtherHere(otherHere);
    const inCall = this.#mode === "call";
    this.#meeting.see(inCall && otherHere);
    const sentence = statusOf({
      inCall,
      state: this.state,
      other: this.other,
      otherHere,
      left: this.#left,
      connection: this.stage.connection,
      socket: this.socket.state,
      late: this.#meeting.late,
      free: this.clock.neverConnected,
      absence: this.root.dataset.absence ?? "",
    });
    for (const line of all(this.root, "[data-status]")) {
      say(line, sentence);
      line.hidden = !sentence;
    }
    show(this.root, "[data-other-here]", otherHere);
  }

  /** @param {string} sentence */
  #problem(sentence) {
    this.notes.set("said", sentence ? { sentence } : null);
  }

  // --- what the person does ---

  /** @param {AbortSignal} signal */
  #listen(signal) {
    const { root } = this;
    this.joinForm.addEventListener(
      "submit",
      (event) => {
        event.preventDefault();
        void this.enter(event.submitter?.hasAttribute("data-chat-only") ?? false);
      },
      { signal },
    );
    need(root, "[data-take-back]", HTMLButtonElement).addEventListener("click", () => void this.enter(), { signal });
    for (const button of all(root, "[commandfor]")) {
      // Browsers that know `command` open the dialog themselves, also before this script is here; this is for the others.
      if ("command" in HTMLButtonElement.prototype) continue;
      const dialog = need(root, `#${button.getAttribute("commandfor")}`, HTMLDialogElement);
      button.addEventListener("click", () => dialog.open || dialog.showModal(), { signal });
    }
    submitInPlace(root, (form, answer) => this.#done(form, answer), signal);
  }

  /**
   * @param {HTMLFormElement} form
   * @param {Record<string, unknown>} answer
   */
  #done(form, answer) {
    if (saidInPlace(form, answer)) return;
    form.closest("dialog")?.close();
    const to = new URL(typeof answer.to === "string" ? answer.to : "", location.href);
    if (to.pathname !== location.pathname) {
      // The bank wants to see the person. In a tab of its own: the call goes on here.
      const link = make("a", { href: to.href, target: "_blank", rel: "noopener" }, "Confirm with your bank");
      need(this.root, "[data-bank-line]", HTMLElement).replaceChildren(link, " (opens beside the call).");
      show(this.root, "[data-bank]", true);
    }
    this.socket.sync();
  }
}
