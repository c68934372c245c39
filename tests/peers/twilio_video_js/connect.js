/**
 * What stands in for `Twilio.Video.connect` in a page: Twilio's media servers cannot be had on a machine of one's own.
 *
 * Everything else of the SDK stays Twilio's own file. The objects here have the names, events and order of the SDK as far as the
 * adapter uses them, and `tsc` holds them to the package's own declarations. Between the two pages runs an RTCPeerConnection for
 * each direction; who is in the room, and who may be, a server says (tests/peers/twilio_rooms.py), at `window.twilioRooms`.
 */

/**
 * @typedef {import("twilio-video").Room} Room
 * @typedef {import("twilio-video").LocalParticipant} Local
 * @typedef {import("twilio-video").RemoteParticipant} Remote
 * @typedef {import("twilio-video").RemoteTrackPublication} Publication
 * @typedef {import("twilio-video").RemoteVideoTrack} Track
 * @typedef {{sid: string, name: string, kind: "audio" | "video", mid: string}} Published
 * @typedef {{offer: RTCSessionDescriptionInit, published: Published[]}} Offer
 * @typedef {{answer: RTCSessionDescriptionInit}} Answer
 * @typedef {{candidate: RTCIceCandidateInit | null, of: "sender" | "receiver"}} Candidate
 * @typedef {Offer | Answer | Candidate} Data
 * @typedef {{sid: string, identity: string}} Who
 */

(() => {
  const RETRY_MS = 200;

  class Emitter {
    /** @type {Map<string, Set<(...args: any[]) => void>>} */
    #listeners = new Map();

    /**
     * @param {string} event
     * @param {(...args: any[]) => void} listener
     */
    on(event, listener) {
      this.#listeners.set(event, (this.#listeners.get(event) ?? new Set()).add(listener));
      return this;
    }

    removeAllListeners() {
      this.#listeners.clear();
      return this;
    }

    /**
     * @param {string} event
     * @param {...unknown} args
     */
    emit(event, ...args) {
      const listeners = [...(this.#listeners.get(event) ?? [])];
      for (const listener of listeners) listener(...args);
      return listeners.length > 0;
    }
  }

  /** @implements {Pick<Publication, "trackName" | "trackSid" | "kind" | "isSubscribed">} */
  class RemotePublication {
    /** @type {Pick<Track, "name" | "mediaStreamTrack"> & {kind: Published["kind"]} | null} */
    track = null;

    /** @param {Published} published */
    constructor({ sid, name, kind, mid }) {
      this.trackSid = sid;
      this.trackName = name;
      this.kind = kind;
      this.mid = mid;
    }

    get isSubscribed() {
      return this.track !== null;
    }
  }

  /**
   * The other person, and the connection to their page.
   * @implements {Pick<Remote, "sid" | "identity" | "state">}
   */
  class RemoteParticipant extends Emitter {
    state = "connected";
    /** @type {Map<string, RemotePublication>} */
    tracks = new Map();
    /** @type {Map<string, MediaStreamTrack>} what came, by the mid of its line */
    #received = new Map();
    /** @type {Map<MediaStreamTrack, RTCRtpTransceiver>} */
    #sent = new Map();
    // Each side offers on the connection it sends by, so that offers never cross.
    #out = new RTCPeerConnection();
    #in = new RTCPeerConnection();
    #queue = Promise.resolve();

    /**
     * @param {StandInRoom} room
     * @param {Who} who
     */
    constructor(room, { sid, identity }) {
      super();
      this.room = room;
      this.sid = sid;
      this.identity = identity;
      this.#out.onnegotiationneeded = () => this.#offer();
      this.#out.onicecandidate = ({ candidate }) => this.#tell({ candidate: candidate?.toJSON() ?? null, of: "sender" });
      this.#in.onicecandidate = ({ candidate }) => this.#tell({ candidate: candidate?.toJSON() ?? null, of: "receiver" });
      this.#in.ontrack = ({ track, transceiver }) => {
        this.#received.set(transceiver.mid ?? "", track);
        this.#match();
      };
    }

    /** @param {Data} data */
    #tell(data) {
      this.room.tell(this.sid, data);
    }

    /** Make what is sent the room's tracks. */
    sendTracks() {
      const { published } = this.room.localParticipant;
      for (const [track, transceiver] of this.#sent) {
        if (published.has(track)) continue;
        transceiver.stop();
        this.#sent.delete(track);
      }
      for (const track of published.keys()) {
        if (!this.#sent.has(track)) this.#sent.set(track, this.#out.addTransceiver(track, { direction: "sendonly" }));
      }
    }

    async #offer() {
      await this.#out.setLocalDescription();
      /** @type {Published[]} */
      const published = [];
      for (const [track, { mid }] of this.#sent) {
        const one = this.room.localParticipant.published.get(track);
        if (one && mid) published.push({ ...one, kind: /** @type {Published["kind"]} */ (track.kind), mid });
      }
      const offer = this.#out.localDescription?.toJSON();
      if (offer) this.#tell({ offer, published });
    }

    /** @param {Data} data */
    hear(data) {
      this.#queue = this.#queue.then(() => this.#signal(data)).catch((error) => console.error("The stand-in's signalling", error));
    }

    /** @param {Data} data */
    async #signal(data) {
      if (this.state === "disconnected") return;
      if ("candidate" in data) {
        const connection = data.of === "sender" ? this.#in : this.#out;
        await connection.addIceCandidate(data.candidate ?? undefined);
      } else if ("answer" in data) {
        await this.#out.setRemoteDescription(data.answer);
      } else {
        this.#publish(data.published);
        await this.#in.setRemoteDescription(data.offer);
        await this.#in.setLocalDescription();
        const answer = this.#in.localDescription?.toJSON();
        if (answer) this.#tell({ answer });
        this.#match();
      }
    }

    /** @param {Published[]} published what the other page publishes now */
    #publish(published) {
      for (const publication of this.tracks.values()) {
        if (published.some(({ sid }) => sid === publication.trackSid)) continue;
        this.#unsubscribe(publication);
        this.tracks.delete(publication.trackSid);
        this.room.emit("trackUnpublished", publication, this);
      }
      for (const one of published) {
        if (this.tracks.has(one.sid)) continue;
        const publication = new RemotePublication(one);
        this.tracks.set(one.sid, publication);
        this.room.emit("trackPublished", publication, this);
      }
    }

    #match() {
      for (const publication of this.tracks.values()) {
        const track = this.#received.get(publication.mid);
        if (!track || publication.track) continue;
        publication.track = { kind: publication.kind, name: publication.trackName, mediaStreamTrack: track };
        this.room.emit("trackSubscribed", publication.track, publication, this);
      }
    }

    /** @param {RemotePublication} publication */
    #unsubscribe(publication) {
      const track = publication.track;
      if (!track) return;
      publication.track = null;
      this.#received.delete(publication.mid);
      this.room.emit("trackUnsubscribed", track, publication, this);
    }

    leave() {
      this.state = "disconnected";
      for (const publication of this.tracks.values()) this.#unsubscribe(publication);
      this.#out.close();
      this.#in.close();
    }
  }

  /** @implements {Pick<Local, "unpublishTrack">} */
  class LocalParticipant extends Emitter {
    /** @type {Map<MediaStreamTrack, {sid: string, name: string}>} */
    published = new Map();
    #names = new Set();

    /** @param {StandInRoom} room */
    constructor(room) {
      super();
      this.room = room;
    }

    /**
     * @param {MediaStreamTrack} track
     * @param {{name: string}} options
     */
    async publishTrack(track, { name }) {
      // Twilio may still know a track that was taken back, and nobody is told: a name used twice must never be relied on.
      if (this.#names.has(name)) throw problem(53304, "Track name is duplicated");
      const wish = /** @type {{twilioRefusesTracks?: number}} */ (window);
      if (wish.twilioRefusesTracks) {
        wish.twilioRefusesTracks -= 1;
        throw problem(53400, "Client is unable to create or apply a local media description");
      }
      this.#names.add(name);
      this.published.set(track, { sid: `MT${crypto.randomUUID().replaceAll("-", "")}`, name });
      this.room.sendTracks();
    }

    /** @param {unknown} track */
    unpublishTrack(track) {
      if (track instanceof MediaStreamTrack && this.published.delete(track)) this.room.sendTracks();
      return null;
    }
  }

  /** @implements {Pick<Room, "sid" | "name" | "state">} */
  class StandInRoom extends Emitter {
    state = "connected";
    sid = "";
    me = "";
    /** @type {Map<string, RemoteParticipant>} */
    participants = new Map();
    localParticipant = new LocalParticipant(this);
    /** @type {WebSocket | null} */
    #socket = null;

    /**
     * @param {string} token
     * @param {string} name
     */
    constructor(token, name) {
      super();
      this.token = token;
      this.name = name;
    }

    /**
     * Connect, or connect again after a cut.
     * @returns {Promise<void>} rejects when the server does not let us in
     */
    open() {
      const address = new URL(/** @type {any} */ (window).twilioRooms);
      address.search = new URLSearchParams({ token: this.token, name: this.name, sid: this.me }).toString();
      const socket = new WebSocket(address);
      this.#socket = socket;
      return new Promise((resolve, reject) => {
        socket.onmessage = ({ data }) => {
          const message = JSON.parse(data);
          if (message.type === "refused") reject(problem(message.code, message.message));
          else if (message.type === "connected") resolve(this.#connected(message));
          else this.#hear(message);
        };
        socket.onclose = () => {
          reject(problem(53000, "Signaling connection error"));
          if (this.#socket === socket && this.state === "connected") this.#cutOff();
        };
      });
    }

    /** @param {{me: string, sid: string, participants: Who[]}} message */
    #connected({ me, sid, participants }) {
      [this.me, this.sid] = [me, sid];
      for (const who of participants) this.#meet(who);
    }

    /** @param {Who} who */
    #meet(who) {
      if (this.participants.has(who.sid)) return;
      const participant = new RemoteParticipant(this, who);
      this.participants.set(who.sid, participant);
      this.emit("participantConnected", participant);
      participant.sendTracks();
    }

    /** @param {any} message */
    #hear(message) {
      const participant = this.participants.get(message.sid);
      switch (message.type) {
        case "participantConnected":
          this.#meet(message);
          break;
        case "participantDisconnected":
          participant?.leave();
          this.participants.delete(message.sid);
          if (participant) this.emit("participantDisconnected", participant);
          break;
        case "participantReconnecting":
        case "participantReconnected":
          if (!participant) break;
          participant.state = message.type === "participantReconnected" ? "connected" : "reconnecting";
          this.emit(message.type, participant);
          break;
        case "from":
          participant?.hear(message.data);
          break;
        case "disconnected":
          this.#end(problem(message.code, message.message));
          break;
      }
    }

    async #cutOff() {
      this.state = "reconnecting";
      this.emit("reconnecting", problem(53001, "Signaling connection disconnected"));
      while (this.state === "reconnecting") {
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
        try {
          await this.open();
        } catch (refusal) {
          if (/** @type {any} */ (refusal).code === 53000) continue;
          this.#end(/** @type {Error} */ (refusal));
          return;
        }
        this.state = "connected";
        this.emit("reconnected");
      }
    }

    /** @param {Error} [error] */
    #end(error) {
      if (this.state === "disconnected") return;
      this.state = "disconnected";
      this.#socket?.close(1000);
      for (const participant of this.participants.values()) participant.leave();
      this.emit("disconnected", this, error);
    }

    /**
     * @param {string} to
     * @param {Data} data
     */
    tell(to, data) {
      if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify({ to, data }));
    }

    sendTracks() {
      for (const participant of this.participants.values()) participant.sendTracks();
    }

    disconnect() {
      this.#end();
      return this;
    }
  }

  /**
   * @param {number} code
   * @param {string} message
   */
  function problem(code, message) {
    return Object.assign(new Error(message), { code });
  }

  /**
   * @param {string} token
   * @param {import("twilio-video").ConnectOptions} [options]
   */
  function connect(token, { name, tracks } = {}) {
    if (!tracks || tracks.length) throw new Error("The SDK would open devices by itself, or take tracks under names of its own.");
    const room = new StandInRoom(token, name ?? "");
    const opened = room.open().then(() => room);
    return Object.assign(opened, { cancel: () => room.disconnect() });
  }

  // The SDK's own file runs as it is, and puts its work here; `connect` alone is ours.
  /** @type {TwilioVideo | undefined} */
  let video;
  window.Twilio = {
    get Video() {
      return /** @type {TwilioVideo} */ (video);
    },
    set Video(real) {
      video = { ...real, connect: /** @type {typeof real.connect} */ (/** @type {unknown} */ (connect)) };
    },
  };
})();
