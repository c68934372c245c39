// What the room asks of whatever carries its media. `peer.js` and `twilio.js` are such adapters.

import type { CarriedByPeer, CarriedByTwilio, SessionEvent } from "../events.js";

/** The three things a page can send. */
export type Line = "microphone" | "camera" | "screen";

export type Connection = "alone" | "connecting" | "connected" | "interrupted";

export type Quality = "unknown" | "good" | "fair" | "poor";

/** What the room wants to be told. */
export interface RoomListener {
  /** The other side's track for `line` is there; it stays the same while the other side sends or not. */
  onTrack(line: Line, track: MediaStreamTrack): void;
  onConnection(connection: Connection): void;
  /** `outbound`: how well what this page sends gets through, where the adapter can tell; it decides whether the camera rests. */
  onQuality(quality: Quality, outbound?: Quality): void;
}

/** What the server says about whatever carries the call, with this page's credentials for it. */
export type Carrier = CarriedByPeer | CarriedByTwilio;

export interface RoomAdapter {
  /** The type of the carrier this adapter is for. */
  readonly kind: Carrier["type"];
  /** The carrier as it is now, the first time and whenever there are fresh credentials; of this adapter's kind. */
  useCarrier(carrier: Carrier): void;
  /** An event of the session's socket, in order; those that are not the adapter's are passed over. */
  hear(event: SessionEvent): void;
  /** Send `track` on `line`, or nothing. Holds for every connection to come. */
  send(line: Line, track: MediaStreamTrack | null): void;
  /** Leave the call. Tracks stay the caller's. */
  close(): void;
}
