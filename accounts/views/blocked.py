"""Whom one blocked."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from accounts import blocking
from accounts.http import allowed, signed_in
from accounts.permissions import Do

PAGE_SIZE = 50


@login_required
@require_safe
@allowed(Do.SEE_OWN)
def blocked(request: HttpRequest) -> HttpResponse:
    """The people I blocked, each with a way back. Who blocked me is nobody's to see."""
    page = Paginator(blocking.blocks_of(signed_in(request)), PAGE_SIZE).get_page(request.GET.get("page"))
    return render(request, "pages/blocked.html", {"page": page})


@login_required
@require_POST
@allowed(Do.SEE_OWN)
def unblock(request: HttpRequest, block_id: UUID) -> HttpResponse:
    """Take one block of mine back."""
    user = signed_in(request)
    block = get_object_or_404(blocking.blocks_of(user), pk=block_id)
    blocking.unblock(by=user, person=block.person)
    messages.success(request, f"{block.person} is not blocked any more.")
    return redirect("blocked")
