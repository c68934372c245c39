"""What we ask of a video service, in our words. Only the module named for the service knows its API."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


class VideoUnavailable(Exception):
    """The service does not answer, or not with what was asked; it may be asked again. The message is a sentence."""


@dataclass(frozen=True)
class Room:
    """A room there. Times are UTC."""

    sid: str
    name: str
    """As we named it: unique among the rooms that are not over."""
    opened_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True)
class Connection:
    """One stretch of somebody's being connected to a room. Times are UTC, by the service's clock."""

    sid: str
    identity: str
    """The person's id, as it stands in the token."""
    start: datetime
    end: datetime | None


class VideoService(Protocol):
    """A video service."""

    def open(self, name: str) -> Room:
        """Return the room called `name`, made where there is none. Raises VideoUnavailable."""
        ...

    def close(self, name_or_sid: str) -> Room | None:
        """End a room, whoever is in it; return it, or None where no such room is open. Raises VideoUnavailable."""
        ...

    def open_rooms(self) -> list[Room]:
        """Return every room that is not over, other sites' of the same account too. Raises VideoUnavailable."""
        ...

    def connections(self, room_sid: str) -> list[Connection] | None:
        """Return who was connected to a room that is over; None: no such room. Raises VideoUnavailable."""
        ...


def service() -> VideoService:
    """Return the service that calls go through where the settings say so."""
    from sessions_app.video.twilio import TwilioRooms  # late: who does not use it need not load its library

    return TwilioRooms()
