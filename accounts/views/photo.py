"""A person's photo: set, removed, given out."""

import logging
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST, require_safe

from accounts import photos
from accounts.forms.people import PhotoForm
from accounts.http import allowed, signed_in
from accounts.models import Photo, User
from accounts.permissions import Do
from accounts.views.people import settings_page
from hopps.errors import Refused
from hopps.limiting import limited
from hopps.limits import Limit

logger = logging.getLogger(__name__)

# It is only ever a picture, whatever its bytes may be; the browser it is for keeps it a while, nobody else does.
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "sandbox; default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "private, max-age=600",
}


def _a_person(pk: UUID) -> User | None:
    return User.objects.filter(pk=pk).select_related("photo").first()


@limited(Limit.PHOTO)
@login_required
@require_POST
@allowed(Do.SEE_OWN)
def set_photo(request: HttpRequest) -> HttpResponse:
    """Take a photo, in place of the one there was."""
    form = PhotoForm(request.POST, request.FILES)
    if form.is_valid():
        try:
            photos.set_photo(user=signed_in(request), content=form.cleaned_data["photo"].file)
        except Refused as refusal:
            form.add_error("photo", refusal.sentence)
    if form.errors:
        return settings_page(request, photo_form=form)
    messages.success(request, "Your new photo is there. The people you meet see it.")
    return redirect("person_settings")


@login_required
@require_POST
@allowed(Do.SEE_OWN)
def remove_photo(request: HttpRequest) -> HttpResponse:
    """Take the photo away."""
    if photos.remove_photo(user=signed_in(request)):
        messages.success(request, "Your photo is deleted. People see your initials.")
    return redirect("person_settings")


@login_required
@require_safe
@allowed(Do.SEE_PHOTO, _a_person)
def give(request: HttpRequest, owner: User, version: str) -> HttpResponse:
    """Give a photo to who may see it. Its address changes with it."""
    photo = photos.photo_of(owner)
    if photo is None or photo.version != version:
        raise Http404
    return photo_response(photo)


def photo_response(photo: Photo) -> HttpResponse:
    """Answer with the picture, in the only way a browser is allowed to take it."""
    try:
        content = photos.read(photo)
    except FileNotFoundError:
        logger.error("%s is somebody's photo and no longer in the storage", photo.stored)
        raise Http404 from None
    except Exception:
        logger.exception("%s could not be read", photo.stored)
        sentence = "This photo cannot be fetched just now."
        return HttpResponse(sentence, content_type="text/plain; charset=utf-8", status=503)
    return HttpResponse(content, content_type="image/webp", headers=HEADERS)
