"""The shared notes as a file."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from accounts.http import allowed
from accounts.permissions import Do
from sessions_app import notes
from sessions_app.models import HelpSession
from sessions_app.views.find import a_session


@login_required
@require_safe
@allowed(Do.SEE_SESSION, a_session)
def text(request: HttpRequest, session: HelpSession) -> HttpResponse:
    """The notes as they stand, for the two who may write them: the text and nothing else."""
    headers = {
        "Content-Disposition": f'attachment; filename="hopps-notes-{str(session.pk)[:8]}.txt"',
        "Cache-Control": "private, no-store",
    }
    return HttpResponse(notes.body_of(session), content_type="text/plain; charset=utf-8", headers=headers)
