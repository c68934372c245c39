"""The receipt as a file."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.http import allowed
from accounts.permissions import Do
from sessions_app import receipts
from sessions_app.models import HelpSession
from sessions_app.views.find import a_session


@login_required
@never_cache
@require_safe
@allowed(Do.SEE_RECEIPT, a_session)
def pdf(request: HttpRequest, session: HelpSession) -> HttpResponse:
    """The receipt as a PDF, for the customer once the card is settled; before that, a 404 that says when."""
    receipt = receipts.find(session)
    if receipt is None or not receipt.final:
        return render(request, "sessions/no_receipt.html", {"session": session, "receipt": receipt}, status=404)
    from sessions_app import receipt_pdf  # late: half a second of libraries

    headers = {"Content-Disposition": f'inline; filename="{receipt_pdf.file_name(receipt)}"'}
    return HttpResponse(receipt_pdf.render(receipt), content_type="application/pdf", headers=headers)
