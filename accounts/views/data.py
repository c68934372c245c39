"""Taking one's data away, and deleting the account."""

from tempfile import TemporaryFile

from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from accounts import erasing
from accounts import my_data as all_data
from accounts.forms.people import DeleteForm
from accounts.http import allowed, recently_signed_in, signed_in
from accounts.permissions import Do
from hopps.errors import Refused
from hopps.http import file_response
from hopps.limiting import limited
from hopps.limits import Limit

KINDS = {
    "json": (all_data.write_json, "json", "application/json"),
    "csv": (all_data.write_zip, "zip", "application/zip"),
}


@login_required
@require_safe
@allowed(Do.SEE_OWN)
def my_data(request: HttpRequest) -> HttpResponse:
    """Where data is taken away, and the account deleted."""
    return render(request, "pages/my_data.html")


@recently_signed_in
@limited(Limit.DATA, methods=("GET", "HEAD"))
@require_safe
@allowed(Do.SEE_OWN)
def download(request: HttpRequest, kind: str) -> HttpResponseBase:
    """All there is about the person, as a file."""
    if kind not in KINDS:
        raise Http404
    write, ending, content_type = KINDS[kind]
    file = TemporaryFile()  # noqa: SIM115  the answer closes it
    write(signed_in(request), file)
    file.seek(0)
    name = f"hopps-{timezone.now():%Y-%m-%d}.{ending}"
    return file_response(request, file, name=name, content_type=content_type)


@recently_signed_in
@require_http_methods(["GET", "HEAD", "POST"])
@allowed(Do.SEE_OWN)
def delete(request: HttpRequest) -> HttpResponse:
    """Say what goes and what stays, and delete the account of who typed their address."""
    user = signed_in(request)
    first = erasing.objections(user)
    form = DeleteForm(request.POST if request.method == "POST" else None, user=user)
    if request.method == "POST" and not first and form.is_valid():
        try:
            erasing.erase(user=user)
        except Refused as refusal:
            # Something began in another tab meanwhile.
            first = [refusal.sentence]
        else:
            logout(request)
            messages.success(request, "Your account is deleted. We say so once more by mail. Goodbye, and all the best.")
            return redirect("home")
    status = 409 if first and request.method == "POST" else 422 if form.errors else 200
    return render(request, "pages/account_delete.html", {"form": form, "first": first}, status=status)
