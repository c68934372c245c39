"""The shared notes as a file."""

from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from accounts.http import signed_in
from sessions_app import notes
from sessions_app.models import HelpSession


@login_required
@require_safe
def text(request: HttpRequest, session_id: UUID) -> HttpResponse:
    """The notes as they stand, for the two who may write them: the text and nothing else."""
    session = HelpSession.objects.of(signed_in(request)).filter(pk=session_id).first()
    if session is None:
        raise Http404
    headers = {
        "Content-Disposition": f'attachment; filename="hopps-notes-{str(session.pk)[:8]}.txt"',
        "Cache-Control": "private, no-store",
    }
    return HttpResponse(notes.body_of(session), content_type="text/plain; charset=utf-8", headers=headers)
