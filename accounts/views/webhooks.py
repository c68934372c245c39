"""What providers of texts tell us. Each request is signed, and answered at once."""

import re

from django.conf import settings
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseForbidden
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from accounts import delivery
from accounts.jobs import look_into_text
from hopps.everybody import for_everybody

_TEXT_REF = re.compile(r"(SM|MM)[0-9a-fA-F]{32}")


@for_everybody
@csrf_exempt
@require_POST
def twilio_webhook(request: HttpRequest) -> HttpResponse:
    """Twilio has news of a text of ours, or brings an answer to one. What we do not know is none of our business: 204."""
    if settings.SMS != "twilio":
        raise Http404
    # Late: who does not text by Twilio need not load its library.
    from hopps.sms.twilio import UNDERWAY
    from hopps.twilio import is_signed

    if not is_signed(request):
        return HttpResponseForbidden("The signature is not right.", content_type="text/plain")
    form = request.POST
    ref, status = form.get("MessageSid", ""), form.get("MessageStatus", "")
    if status and status not in UNDERWAY and _TEXT_REF.fullmatch(ref):
        transaction.on_commit(lambda: look_into_text("twilio", ref), robust=True)
    elif form.get("SmsStatus") == "received":
        delivery.heard(number=form.get("From", ""), words=form.get("Body", ""), meant=form.get("OptOutType", ""))
    return HttpResponse(status=204)
