"""Everything that travels on the board's and the session's sockets. `manage.py typescript` makes the page's types of it."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec

from hopps.realtime.messages import Error, Event, GoElsewhere, Message, Ping, Pong, Sync

# --- The board: server to page ---------------------------------------------------------------------------------------


class OpenRequest(msgspec.Struct, kw_only=True):
    """A request as experts see it before accepting."""

    id: UUID
    title: str
    details: str
    topic: str
    price: str
    customer: str
    cap_minutes: int
    requested_at: datetime
    expires_at: datetime
    asked_first: bool
    """Whether the customer asks for this expert, and nobody else sees it yet."""


class BoardState(Event):
    """All a board shows. Sent on connecting, on `sync`, and when the expert's own situation changed."""

    available: bool
    """The expert's own switch, while an operator's approval stands."""
    requests: list[OpenRequest]
    session: UUID | None
    """The live session this expert is in, if any."""
    quiet_until: datetime | None
    """Until when the expert asked not to be disturbed, if that is not over."""


class RequestOpened(Event):
    """The chime."""

    request: OpenRequest


class RequestClosed(Event):
    """The request is gone: stop the chime, remove it."""

    id: UUID
    reason: Literal["taken", "cancelled", "expired"]


# --- The board: page to server ---------------------------------------------------------------------------------------


class SetAvailability(Message):
    """The expert switched availability."""

    available: bool


# --- The session: server to page -------------------------------------------------------------------------------------


class SessionChanged(Event):
    """The session's state, its people or its money changed: fetch the page's live part again."""

    state: str
    settled: bool
    charge: Literal["", "due", "retrying", "failed", "charged", "free"]
    """How the charge stands; empty before the bill is made."""


class Clock(Event):
    """The billable time as the server counted it at `as_of`; the page ticks on from there while `running`."""

    running: bool
    billable_seconds: float
    as_of: datetime
    paused_by: str | None
    free_seconds: int
    price_per_minute: int
    cap_minutes: int
    cap_seconds: int
    warn_seconds: int
    cap_minor: int
    currency: str
    connected: bool
    """Whether a page of either ever had the line to the other's. While none had, nothing is to be paid (decision 0005)."""


class Presence(Event):
    """Who is in the room."""

    customer: bool
    expert: bool


class SentFile(msgspec.Struct, kw_only=True):
    """A file in the chat."""

    name: str
    size: int
    """Bytes."""
    is_image: bool
    """Whether it may be shown as a picture; anything else is only downloaded."""
    address: str


class ChatLine(Event):
    """A line of chat, from either side, one's own included. With a file it has no words."""

    id: UUID
    author: UUID
    name: str
    body: str
    file: SentFile | None
    sent_at: datetime


class ChatRefused(Event):
    """A line of chat is not kept; `message` is a sentence for the person, who gets their words back."""

    id: UUID
    message: str


class OtherTypes(Event):
    """The other person is writing a line. Holds for a few seconds, or until the line comes."""


class IceServer(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A STUN or TURN server, as RTCPeerConnection takes it."""

    urls: list[str]
    username: str = ""
    credential: str = ""


class CarriedByPeer(Event):
    """The call goes between the two browsers. Comes before `Welcome`, on `RenewVideo`, and where the call is rerouted."""

    ice_servers: list[IceServer]
    seconds: int | None
    """How long the credentials hold from now; None: for good."""
    relay_only: bool
    """Whether media may go through the relay alone, which hides the two sides' addresses from each other."""


class CarriedByTwilio(Event):
    """The call goes through a room at Twilio. Comes where `CarriedByPeer` would."""

    room: str
    """The room's SID."""
    token: str
    seconds: int
    """How long the token lets a page connect, from now."""


class Welcome(Event):
    """The page is in the room. `peers` are the other person's pages that are in it now."""

    peers: list[UUID]
    chat: list[ChatLine]
    beat_seconds: float
    """How often the page shall give its sign of life while it is in the room. Each is answered with `Pong`."""


class PeerJoined(Event):
    """The other person's page came in, came back, or is there: said again on `Sync`."""

    page: UUID


class PeerLeft(Event):
    """The other person's page left, or its socket did; media may still flow. Comes before the `Presence` it makes."""

    page: UUID
    goodbye: bool
    """Whether the page was closed or left, as its browser said itself; else its line is lost, or it joined elsewhere."""


class Moved(Event):
    """This person joined from another tab; this page is no longer in the room."""


class SignalFrom(Event):
    """WebRTC signalling from the other page, passed on as it came."""

    page: UUID
    data: msgspec.Raw


class MediaState(Event):
    """What the other page sends: shown beside its video."""

    page: UUID
    microphone: bool
    camera: bool
    screen: bool
    has_microphone: bool
    has_camera: bool
    weak_line: bool


class NotesEdited(Event):
    """An edit of the shared notes, from either side, one's own included. In order they make the text."""

    id: UUID
    revision: int
    """The text's number after this edit."""
    change: list[int | str]
    """How `notes_change` describes it."""
    author: UUID
    name: str
    edited_at: datetime


class NotesText(Event):
    """The shared notes as they stand: the answer to `ReadNotes`."""

    revision: int
    body: str | None
    """None where the page did not ask for it."""
    missed: list[NotesEdited]
    """The edits since the revision the page said it has."""
    last: NotesEdited | None
    """Who wrote last."""


class NotesRefused(Event):
    """An edit of the shared notes is not kept; `message` is a sentence for the person."""

    id: UUID
    message: str


# --- The session: page to server -------------------------------------------------------------------------------------


class Join(Message):
    """Enter the room. A page that was in it before may come back without a grant."""

    page: UUID
    grant: str | None = None


class Signal(Message):
    """WebRTC signalling for the page `to`."""

    to: UUID
    data: msgspec.Raw


class Media(Message):
    """What this page sends now."""

    microphone: bool
    camera: bool
    screen: bool
    has_microphone: bool = True
    """False where there is none that this page may use, and nobody can speak there."""
    has_camera: bool = True
    weak_line: bool = False
    """Whether the camera rests for now, so that the sound stays clear."""


class MediaFlowing(Message):
    """The line to the other's page is up: sound and picture come through. Said once for each joining."""


class RenewVideo(Message):
    """The page's credentials for what carries the call run out soon, or did not do: it wants fresh ones."""


class VideoFailed(Message):
    """The page cannot reach the room at Twilio."""

    reason: Annotated[str, msgspec.Meta(max_length=200)]


class Chat(Message):
    """A line of chat. `id` is made by the page, so that sending it again does no harm."""

    id: UUID
    body: Annotated[str, msgspec.Meta(min_length=1, max_length=4000)]


class Typing(Message):
    """This person is writing a line. Said again every few seconds while they are."""


class EditNotes(Message):
    """An edit of the shared notes. `id` is made by the page, so that sending it again does no harm."""

    id: UUID
    base: Annotated[int, msgspec.Meta(ge=0)]
    """The revision of the text it was made of."""
    change: list[int | str]


class ReadNotes(Message):
    """The page shows the shared notes and wants what it missed."""

    since: Annotated[int, msgspec.Meta(ge=0)] | None
    """The revision it has; None: nothing yet."""
    text: bool
    """Whether it wants the text as well."""


BoardEvent = BoardState | RequestOpened | RequestClosed | GoElsewhere | Error
BoardMessage = SetAvailability | Sync | Ping
SessionEvent = (
    SessionChanged
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
    | Error
)
SessionMessage = (
    Join | Signal | Media | MediaFlowing | RenewVideo | VideoFailed | Chat | Typing | EditNotes | ReadNotes | Sync | Ping
)
