"""Files of a chat: taken, and given out; and the chat as a file of its own."""

import logging
from tempfile import SpooledTemporaryFile
from typing import IO
from urllib.parse import unquote
from uuid import UUID

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.core.files.storage import storages
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_safe

from accounts.http import allowed
from accounts.models import User
from accounts.permissions import Do
from hopps.limiting import limited
from hopps.limits import Limit
from hopps.realtime.messages import encode
from sessions_app import files
from sessions_app.models import ChatFile, HelpSession
from sessions_app.transcript import transcript
from sessions_app.views.actions import action
from sessions_app.views.find import a_session

logger = logging.getLogger(__name__)

CHUNK = 64 * 1024
IN_MEMORY = 1024 * 1024
# A picture is only ever that, whatever else its bytes may be; the browser of these two keeps it a while, nobody else does.
# Browsers show one in a page of their own making, whose styles the policy would stop.
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "sandbox; default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "private, max-age=600",
}


@limited(Limit.FILE)
@action(Do.TAKE_PART)
def send(request: HttpRequest, session: HelpSession, user: User) -> HttpResponse:
    """Take a file: its bytes are the body, `X-File-Id` the line's id, `X-File-Name` its name, percent-encoded."""
    try:
        message_id = UUID(request.headers.get("X-File-Id", ""))
    except ValueError:
        return JsonResponse({"error": "This file came without an id. Reload the page and send it again."}, status=400)
    if request.content_type != "application/octet-stream":
        return JsonResponse({"error": "Send the bytes of the file, and nothing around them."}, status=415)
    with SpooledTemporaryFile(max_size=IN_MEMORY) as content:
        _copy(request, content)
        try:
            line = files.attach(
                session=session,
                author=user,
                message_id=message_id,
                name=unquote(request.headers.get("X-File-Name", "")),
                content=content,
            )
        except files.Unfit as refusal:
            return JsonResponse({"error": refusal.sentence}, status=refusal.status)
    return HttpResponse(encode(line), content_type="application/json")


def _copy(request: HttpRequest, content: IO[bytes]) -> None:
    """Copy the body, and no more of it than shows that it is too large."""
    left = settings.UPLOAD_BYTES + 1
    while left and (chunk := request.read(min(CHUNK, left))):
        content.write(chunk)
        left -= len(chunk)


@login_required
@require_safe
@allowed(Do.SEE_SESSION, a_session)
def give(request: HttpRequest, session: HelpSession, file_id: UUID) -> HttpResponse:
    """Give a file to one of the two: a picture to look at, anything else to keep."""
    file = ChatFile.objects.filter(pk=file_id, session=session).first()
    if file is None:
        raise Http404
    return file_response(file)


def file_response(file: ChatFile) -> HttpResponse:
    """Answer with the bytes of a file, in the only ways a browser is allowed to take them."""
    try:
        # As one piece: under ASGI a file in pieces is first read as a whole too, and comes without its length.
        with storages["uploads"].open(file.stored_as) as stored:
            content = stored.read()
    except FileNotFoundError:
        logger.error("%s is in a chat and no longer in the storage", file.stored_as)
        raise Http404 from None
    except Exception:
        logger.exception("%s could not be read", file.stored_as)
        sentence = "This file cannot be fetched just now. Try again in a moment."
        return HttpResponse(sentence, content_type="text/plain; charset=utf-8", status=503)
    disposition = content_disposition_header(as_attachment=not file.is_image, filename=file.name)
    headers = HEADERS | {"Content-Disposition": disposition or "attachment"}
    return HttpResponse(content, content_type=file.content_type, headers=headers)


@login_required
@require_safe
@allowed(Do.SEE_SESSION, a_session)
def chat_text(request: HttpRequest, session: HelpSession) -> HttpResponse:
    """The whole chat as a text file."""
    headers = {
        "Content-Disposition": f'attachment; filename="hopps-chat-{str(session.pk)[:8]}.txt"',
        "Cache-Control": "private, no-store",
    }
    return HttpResponse(transcript(session), content_type="text/plain; charset=utf-8", headers=headers)
