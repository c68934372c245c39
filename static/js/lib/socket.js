/** A websocket that comes back by itself and is right again after it did. */

const BEAT_MS = 4_000; // the same as in beat.js
const SYNC_MS = 30_000;
// A socket that leaves a `sync` unanswered this long is dead, even where the browser has not noticed.
const ANSWER_MS = 6_000;
// The same for one whose every ping is answered.
const QUIET_MS = 4_000;
const FIRST_WAIT_MS = 200;
const LONGEST_WAIT_MS = 5_000;
// Handshakes refused in a row after which we ask whether it is the network at all.
const REFUSALS = 4;
// Once there is a new line the old one is let go of: by the server, when the new one has its place, or after so long.
const OLD_LINE_MS = 5_000;
// The server's word that this page has nothing to hear here any more.
const NOT_YOURS_ANY_MORE = 4403;

/** @typedef {"connecting" | "open" | "lost" | "refused" | "dismissed"} SocketState */

/**
 * The page's socket. `Incoming` and `Outgoing` are the unions of sessions_app/events.py.
 * @template {{type: string}} Incoming
 * @template {{type: string}} Outgoing
 */
export class LiveSocket {
  /** @type {WebSocket | null} */
  #socket = null;
  /** @type {WebSocket | null} the new line, while the one in use is still good */
  #next = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #retry;
  #retryAt = 0;
  /** @type {Beat | null} */
  #beats = null;
  #beatMs = BEAT_MS;
  #failures = 0;
  #syncedAt = 0;
  #heardAt = 0;
  /** @type {AbortController | null} */
  #ends = null;
  /** @type {SocketState} */
  state = "connecting";

  /**
   * @param {string} path such as `/ws/board/`
   * @param {object} hooks
   * @param {(event: Incoming) => void} hooks.hear a message came
   * @param {(state: SocketState) => void} hooks.change the connection changed
   */
  constructor(path, { hear, change }) {
    this.url = new URL(path, location.href);
    this.url.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    this.hear = hear;
    this.change = change;
  }

  /** Connect, and stay connected until `close`. */
  open() {
    if (this.#ends) return;
    this.#ends = new AbortController();
    const { signal } = this.#ends;
    addEventListener("online", () => this.#hurry(), { signal });
    addEventListener("pageshow", () => this.#hurry(), { signal });
    document.addEventListener("visibilitychange", () => document.hidden || this.#hurry(), { signal });
    this.#beats = new Beat(() => this.#beat());
    this.#beats.every(this.#beatMs);
    this.#connect();
  }

  /**
   * Ping this often, in a hidden page too. Faster than usual, the server answers each, and silence means that the line is dead.
   * @param {number} [ms] as usual, if not given
   */
  beatEvery(ms = BEAT_MS) {
    if (ms === this.#beatMs) return;
    this.#beatMs = ms;
    this.#beats?.every(ms);
  }

  /** Say goodbye: the server knows that this page left on purpose. */
  close() {
    this.#ends?.abort();
    this.#ends = null;
    this.#beats?.stop();
    this.#beats = null;
    clearTimeout(this.#retry);
    this.#next?.close();
    this.#next = null;
    this.#socket?.close(1000);
    this.#socket = null;
  }

  /**
   * Send a message if the socket is open.
   * @param {Outgoing} message
   * @returns {boolean} whether it was handed over
   */
  send(message) {
    if (this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(JSON.stringify(message));
    return true;
  }

  /** Ask for the whole state. */
  sync() {
    this.#syncedAt = performance.now();
    this.#message("sync");
  }

  #connect() {
    clearTimeout(this.#retry);
    const socket = new WebSocket(this.url);
    this.#heardAt = performance.now();
    socket.onopen = () => this.#opened();
    this.#use(socket);
  }

  /**
   * The server process at the other end is about to stop. A line to another one is opened first: nobody notices anything.
   * Where that fails, the old one goes on until it ends, and the page comes back as after any other loss.
   */
  #goElsewhere() {
    if (this.#next) return;
    const old = this.#socket;
    const next = (this.#next = new WebSocket(this.url));
    next.onclose = () => (this.#next = null);
    next.onopen = () => {
      this.#next = null;
      if (this.#socket !== old) return next.close();
      this.#use(next);
      this.#opened();
      setTimeout(() => old?.close(), OLD_LINE_MS);
    };
  }

  #opened() {
    this.#failures = 0;
    this.#syncedAt = this.#heardAt = performance.now();
    this.#become("open");
  }

  /** @param {WebSocket} socket the line from now on; what comes by another is not heard any more */
  #use(socket) {
    this.#socket = socket;
    socket.onmessage = (message) => {
      this.#heardAt = performance.now();
      if (this.#socket !== socket) return;
      const event = JSON.parse(message.data);
      if (event.type === "go_elsewhere") this.#goElsewhere();
      else if (event.type !== "pong") this.hear(event);
    };
    socket.onclose = ({ code }) => {
      if (this.#socket !== socket || !this.#ends) return;
      if (code === NOT_YOURS_ANY_MORE) {
        this.close();
        this.#become("dismissed");
      } else {
        this.#comeBack();
      }
    };
  }

  #comeBack() {
    this.#socket = null;
    this.#failures += 1;
    if (this.state !== "refused") this.#become("lost");
    if (this.#failures === REFUSALS) void this.#askWhy();
    const wait = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (this.#failures - 1));
    // Jitter: after a restart not every page comes in the same moment.
    const jittered = wait * (0.5 + Math.random() / 2);
    this.#retryAt = performance.now() + jittered;
    this.#retry = setTimeout(() => this.#connect(), jittered);
  }

  /** Pages come through and the socket does not: signed out, or not ours. It goes on trying slowly all the same. */
  async #askWhy() {
    try {
      const { ok } = await fetch("/healthz", { cache: "no-store" });
      if (ok && this.state === "lost") this.#become("refused");
    } catch {
      // The network, or the server, is gone: then it is just that.
    }
  }

  /** The network or the person is back: do not sit out the wait, and do not trust a socket that slept. */
  #hurry() {
    if (!this.#socket) this.#connect();
    else this.sync();
  }

  #beat() {
    const now = performance.now();
    if (!this.#socket) {
      // In a hidden page the time-out of `#comeBack` may be late.
      if (now >= this.#retryAt) this.#connect();
    } else if (this.#isDead(now)) {
      const dead = this.#socket;
      this.#comeBack();
      dead.close();
    } else if (now - this.#syncedAt > SYNC_MS) {
      this.sync();
    } else {
      this.#message("ping");
    }
  }

  /** @param {number} now */
  #isDead(now) {
    if (this.#syncedAt > this.#heardAt && now - this.#syncedAt > ANSWER_MS) return true;
    if (this.#beatMs >= BEAT_MS) return false;
    const patience = this.#socket?.readyState === WebSocket.OPEN ? QUIET_MS : ANSWER_MS;
    return now - this.#heardAt > patience;
  }

  /** @param {"ping" | "sync"} type both belong to every socket's messages (hopps/realtime/messages.py) */
  #message(type) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify({ type }));
  }

  /** @param {SocketState} state */
  #become(state) {
    this.state = state;
    this.change(state);
  }
}

/** Calls `beat` again and again, in a hidden page too, until it is stopped. */
class Beat {
  #worker = new Worker(new URL("./beat.js", import.meta.url));
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #timer;
  #ms = BEAT_MS;
  #alone = false;

  /** @param {() => void} beat */
  constructor(beat) {
    this.beat = beat;
    this.#worker.onmessage = beat;
    // Where the worker cannot load, the page's own timer does while the page is seen.
    this.#worker.onerror = () => {
      this.#alone = true;
      this.every(this.#ms);
    };
  }

  /** @param {number} ms */
  every(ms) {
    this.#ms = ms;
    if (!this.#alone) return this.#worker.postMessage(ms);
    clearInterval(this.#timer);
    this.#timer = setInterval(this.beat, ms);
  }

  stop() {
    this.#worker.terminate();
    clearInterval(this.#timer);
  }
}
