"""What travels on a websocket: typed structs, encoded once, decoded strictly."""

import re

import msgspec


def _tag(class_name: str) -> str:
    """Return the wire name of a struct: `RequestOpened` travels as `request_opened`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", class_name).lower()


class Event(msgspec.Struct, kw_only=True, tag_field="type", tag=_tag):
    """Server to page."""


class Message(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, tag_field="type", tag=_tag):
    """Page to server. Unknown fields are refused, so a misspelt one is noticed."""


class Error(Event):
    """What the page sent could not be used; `message` is a sentence for the person."""

    message: str


class Pong(Event):
    """The answer to a `Ping` where the page wants to know at once that its line is dead."""


class GoElsewhere(Event):
    """The server process at the other end of this line is about to stop: open a new line, then let go of this one."""


class Ping(Message):
    """The page is alive: its sign of life, sent every few seconds."""


class Sync(Message):
    """The page asks for the whole state, because it may have missed something."""


_encoder = msgspec.json.Encoder()


def encode(event: Event) -> str:
    """Return the text that goes to every socket of an audience, encoded once for all of them."""
    return _encoder.encode(event).decode()


PONG = encode(Pong())
GO_ELSEWHERE = encode(GoElsewhere())
