"""Files in the chat: kept once, however often a page sends one again, and read by the two alone."""

import logging
from typing import IO
from uuid import UUID, uuid4

from django.conf import settings
from django.core.files import File
from django.core.files.storage import storages
from django.db import IntegrityError, transaction
from django.db.models import Max, Sum
from django.utils import timezone

from accounts.models import User
from hopps.errors import Refused
from hopps.realtime.hub import hub
from sessions_app import chat
from sessions_app.events import ChatLine
from sessions_app.file_kinds import WHAT_CAN_BE_SENT, kind_of, name_for
from sessions_app.models import LIVE_STATES, ChatFile, ChatMessage, HelpSession
from sessions_app.photo_place import forget_place

logger = logging.getLogger(__name__)

# In one session. The number is exact; so many bytes may be passed by what is sent at the same moment.
FILES_ALLOWED = 50
BYTES_ALLOWED = 200 * 1024 * 1024

EMPTY = "There is nothing in this file, so there is nothing to send."
TOO_LARGE = "That is larger than 10 MB, the most that can be sent here. Share it by a link instead."
NOT_SENDABLE = f"A file of this kind cannot be sent here. {WHAT_CAN_BE_SENT}"
TOO_MANY = f"This chat has {FILES_ALLOWED} files already, and takes no more. Share it by a link instead."
TOO_MUCH = "The files of this chat come to 200 MB with this one, the most it takes. Share it by a link instead."
OVER = "This session is over, or no longer yours; its chat takes no more files."
NOT_KEPT = "The file could not be kept just now. Try again in a moment."


class Unfit(Refused):
    """This file cannot be taken; `status` says it to the page's script."""

    def __init__(self, sentence: str, *, status: int) -> None:
        super().__init__(sentence)
        self.status = status


def attach(*, session: HelpSession, author: User, message_id: UUID, name: str, content: IO[bytes]) -> ChatLine:
    """Keep a file as a line of the chat, and show it on both sides.

    Args:
        session: the session it belongs to.
        author: one of its participants.
        message_id: chosen by the page; the same id again is the same file, whatever is in it now.
        name: as the sender's computer calls it.
        content: the bytes, to be read and written: the place where a photo was taken is blanked in them.

    Raises:
        Unfit: empty, too large, of no kind that can be sent, one too many, or the storage does not answer.
        Refused: the room is not open, or the id is somebody else's.
    """
    kept = ChatFile.objects.filter(pk=message_id, session=session, message__author=author).first()
    if kept is not None:
        return _tell(kept)
    if not session.is_live:
        raise Refused(OVER)
    size = content.seek(0, 2)
    content_type = _fitting_kind(session, content, size)
    if content_type == "image/jpeg":
        forget_place(content)
    stored_as = _store(content)
    try:
        # Storing may take a minute, in which the session may end, or go to another expert.
        if not HelpSession.objects.of(author).filter(pk=session.pk, state__in=LIVE_STATES).exists():
            raise Refused(OVER)
        line = _line(session, author, message_id)
        kept = _write(line, name=name_for(name, content_type), content_type=content_type, size=size, stored_as=stored_as)
    except BaseException:
        _drop(stored_as)
        raise
    if kept.stored_as != stored_as:
        _drop(stored_as)
    return _tell(kept)


def _fitting_kind(session: HelpSession, content: IO[bytes], size: int) -> str:
    if size == 0:
        raise Unfit(EMPTY, status=422)
    if size > settings.UPLOAD_BYTES:
        raise Unfit(TOO_LARGE, status=413)
    content_type = kind_of(content)
    if content_type is None:
        raise Unfit(NOT_SENDABLE, status=415)
    before = ChatFile.objects.filter(session=session).aggregate(last=Max("number"), bytes=Sum("size"))
    if (before["last"] or 0) >= FILES_ALLOWED:
        raise Unfit(TOO_MANY, status=409)
    if (before["bytes"] or 0) + size > BYTES_ALLOWED:
        raise Unfit(TOO_MUCH, status=409)
    return content_type


def _store(content: IO[bytes]) -> str:
    """Keep the bytes under a name nobody chose, in a folder a day: so whoever looks for what was left behind finds it."""
    try:
        return storages["uploads"].save(f"{timezone.now():%Y-%m-%d}/{uuid4().hex}", File(content))
    except Exception:
        # A full disk, a bucket out of reach: whatever it is, the page keeps the file and may send it again.
        logger.exception("A file of a chat could not be stored")
        raise Unfit(NOT_KEPT, status=503) from None


def _drop(stored_as: str) -> None:
    try:
        storages["uploads"].delete(stored_as)
    except Exception:
        logger.exception("%s could not be deleted; the nightly sweep does it", stored_as)


def _line(session: HelpSession, author: User, message_id: UUID) -> ChatMessage:
    try:
        with transaction.atomic():
            return ChatMessage.objects.create(id=message_id, session=session, author=author, body="")
    except IntegrityError:
        # Sent before, or at this moment: whether its file was written too is decided by the next insert.
        line = ChatMessage.objects.filter(pk=message_id, session=session, author=author, body="").first()
        if line is None:
            raise Refused("This file could not be kept. Reload the page and send it again.") from None
        return line


def _write(line: ChatMessage, *, name: str, content_type: str, size: int, stored_as: str) -> ChatFile:
    """Return the line's file: this one, or the one that was there first."""
    last = ChatFile.objects.filter(session_id=line.session_id).aggregate(last=Max("number"))["last"] or 0
    for number in range(last + 1, FILES_ALLOWED + 1):
        try:
            with transaction.atomic():
                return ChatFile.objects.create(
                    message=line,
                    session_id=line.session_id,
                    number=number,
                    name=name,
                    content_type=content_type,
                    size=size,
                    stored_as=stored_as,
                )
        except IntegrityError:
            # Either this very file was written meanwhile, or another took the number.
            if first := ChatFile.objects.filter(pk=line.pk).first():
                return first
    raise Unfit(TOO_MANY, status=409)


def _tell(file: ChatFile) -> ChatLine:
    line = ChatMessage.objects.select_related("author").get(pk=file.pk)
    event = chat.as_event(line, file)
    hub.publish(HelpSession(pk=line.session_id).audience, event)
    return event
