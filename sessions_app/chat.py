"""The room's chat: kept, once, however often a page sends a line again."""

from uuid import UUID

from django.db import IntegrityError, transaction

from accounts.models import User
from hopps.errors import Refused
from hopps.realtime.hub import hub
from sessions_app.events import ChatLine, SentFile
from sessions_app.models import ChatFile, ChatMessage, HelpSession


def say(*, session: HelpSession, author: User, message_id: UUID, body: str) -> None:
    """Keep a line and show it on both sides.

    Args:
        session: the session it belongs to.
        author: one of its participants.
        message_id: chosen by the page; the same id again is the same line.
        body: the text, not blank. A NUL in it, which PostgreSQL keeps in no text, is left out.

    Raises:
        Refused: blank, the room is not open, or the id is somebody else's.
    """
    body = body.replace("\0", "")
    if not body.strip():
        raise Refused("Write something before you send it.")
    if not session.is_live:
        raise Refused("This session is over; its chat can be read and no longer written to.")
    try:
        with transaction.atomic():
            line = ChatMessage.objects.create(id=message_id, session=session, author=author, body=body)
    except IntegrityError:
        kept = ChatMessage.objects.filter(pk=message_id, session=session, author=author).first()
        if kept is None:
            raise Refused("This line could not be kept. Reload the page and send it again.") from None
        line = kept
    hub.publish(session.audience, as_event(line))


def lines_of(session: HelpSession) -> list[ChatLine]:
    """Return the whole chat, oldest first."""
    files = ChatFile.objects.filter(session=session).in_bulk()
    lines = ChatMessage.objects.filter(session=session).select_related("author")
    # Without words and without a file: one whose file was lost on its way here, and that is sent again or was given up.
    return [as_event(line, files.get(line.pk)) for line in lines if line.body or line.pk in files]


def as_event(line: ChatMessage, file: ChatFile | None = None) -> ChatLine:
    """Return a kept line as the pages are told."""
    sent = None
    if file is not None:
        sent = SentFile(name=file.name, size=file.size, is_image=file.is_image, address=file.get_absolute_url())
    return ChatLine(
        id=line.pk, author=line.author_id, name=str(line.author), body=line.body, file=sent, sent_at=line.sent_at
    )
