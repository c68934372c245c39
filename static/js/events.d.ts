// Made by `manage.py typescript` from the event structs. Change those, not this.

export interface BoardState {
  type: "board_state";
  available: boolean;
  requests: Array<OpenRequest>;
  session: string | null;
  quiet_until: string | null;
}

export interface CarriedByPeer {
  type: "carried_by_peer";
  ice_servers: Array<IceServer>;
  seconds: number | null;
  relay_only: boolean;
}

export interface CarriedByTwilio {
  type: "carried_by_twilio";
  room: string;
  token: string;
  seconds: number;
}

export interface Chat {
  type: "chat";
  id: string;
  body: string;
}

export interface ChatLine {
  type: "chat_line";
  id: string;
  author: string;
  name: string;
  body: string;
  file: SentFile | null;
  sent_at: string;
}

export interface ChatRefused {
  type: "chat_refused";
  id: string;
  message: string;
}

export interface Clock {
  type: "clock";
  running: boolean;
  billable_seconds: number;
  as_of: string;
  paused_by: string | null;
  free_seconds: number;
  price_per_minute: number;
  cap_minutes: number;
  cap_seconds: number;
  warn_seconds: number;
  cap_minor: number;
  currency: string;
  connected: boolean;
}

export interface EditNotes {
  type: "edit_notes";
  id: string;
  base: number;
  change: Array<number | string>;
}

export interface Error {
  type: "error";
  message: string;
}

export interface GoElsewhere {
  type: "go_elsewhere";
}

export interface IceServer {
  urls: Array<string>;
  username: string;
  credential: string;
}

export interface Join {
  type: "join";
  page: string;
  grant?: string | null;
}

export interface Media {
  type: "media";
  microphone: boolean;
  camera: boolean;
  screen: boolean;
  has_microphone?: boolean;
  has_camera?: boolean;
  weak_line?: boolean;
}

export interface MediaFlowing {
  type: "media_flowing";
}

export interface MediaState {
  type: "media_state";
  page: string;
  microphone: boolean;
  camera: boolean;
  screen: boolean;
  has_microphone: boolean;
  has_camera: boolean;
  weak_line: boolean;
}

export interface Moved {
  type: "moved";
}

export interface NotesEdited {
  type: "notes_edited";
  id: string;
  revision: number;
  change: Array<number | string>;
  author: string;
  name: string;
  edited_at: string;
}

export interface NotesRefused {
  type: "notes_refused";
  id: string;
  message: string;
}

export interface NotesText {
  type: "notes_text";
  revision: number;
  body: string | null;
  missed: Array<NotesEdited>;
  last: NotesEdited | null;
}

export interface OpenRequest {
  id: string;
  title: string;
  details: string;
  topic: string;
  price: string;
  customer: string;
  cap_minutes: number;
  requested_at: string;
  expires_at: string;
  asked_first: boolean;
}

export interface OtherTypes {
  type: "other_types";
}

export interface PeerJoined {
  type: "peer_joined";
  page: string;
}

export interface PeerLeft {
  type: "peer_left";
  page: string;
  goodbye: boolean;
}

export interface Ping {
  type: "ping";
}

export interface Pong {
  type: "pong";
}

export interface Presence {
  type: "presence";
  customer: boolean;
  expert: boolean;
}

export interface ReadNotes {
  type: "read_notes";
  since: number | null;
  text: boolean;
}

export interface RenewVideo {
  type: "renew_video";
}

export interface RequestClosed {
  type: "request_closed";
  id: string;
  reason: "cancelled" | "expired" | "taken";
}

export interface RequestOpened {
  type: "request_opened";
  request: OpenRequest;
}

export interface SentFile {
  name: string;
  size: number;
  is_image: boolean;
  address: string;
}

export interface SessionChanged {
  type: "session_changed";
  state: string;
  settled: boolean;
  charge: "" | "charged" | "due" | "failed" | "free" | "retrying";
}

export interface SetAvailability {
  type: "set_availability";
  available: boolean;
}

export interface Signal {
  type: "signal";
  to: string;
  data: unknown;
}

export interface SignalFrom {
  type: "signal_from";
  page: string;
  data: unknown;
}

export interface Sync {
  type: "sync";
}

export interface Typing {
  type: "typing";
}

export interface VideoFailed {
  type: "video_failed";
  reason: string;
}

export interface Welcome {
  type: "welcome";
  peers: Array<string>;
  chat: Array<ChatLine>;
  beat_seconds: number;
}

export type BoardEvent =
  | BoardState
  | RequestOpened
  | RequestClosed
  | GoElsewhere
  | Error;

export type BoardMessage =
  | SetAvailability
  | Sync
  | Ping;

export type SessionEvent =
  | SessionChanged
  | Clock
  | Presence
  | ChatLine
  | ChatRefused
  | OtherTypes
  | CarriedByPeer
  | CarriedByTwilio
  | Welcome
  | PeerJoined
  | PeerLeft
  | Moved
  | SignalFrom
  | MediaState
  | NotesEdited
  | NotesText
  | NotesRefused
  | Pong
  | GoElsewhere
  | Error;

export type SessionMessage =
  | Join
  | Signal
  | Media
  | MediaFlowing
  | RenewVideo
  | VideoFailed
  | Chat
  | Typing
  | EditNotes
  | ReadNotes
  | Sync
  | Ping;
