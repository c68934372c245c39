"""What the video service tells us. Each request is signed, and answered at once."""

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBadRequest, HttpResponseForbidden
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from hopps.everybody import for_everybody
from sessions_app.video import callbacks


@for_everybody
@csrf_exempt
@require_POST
def twilio_video_webhook(request: HttpRequest) -> HttpResponse:
    """Twilio tells of a room. What we do not know is none of our business: 204.

    Listened to also where new calls go between the browsers: rooms made before are still told of.
    """
    if not settings.TWILIO_AUTH_TOKEN:
        raise Http404
    from hopps.twilio import is_signed  # late: who does not use Twilio need not load its library

    if not is_signed(request):
        return HttpResponseForbidden("The signature is not right.", content_type="text/plain")
    fields = request.POST.dict()
    if any("\0" in value for value in fields.values()):
        return HttpResponseBadRequest("A field has a character that cannot be kept.", content_type="text/plain")
    try:
        callbacks.hear({name: str(value) for name, value in fields.items()})
    except callbacks.Unreadable as problem:
        return HttpResponseBadRequest(str(problem), content_type="text/plain")
    return HttpResponse(status=204)
