"""What people do to a session, each a POST: the rule decides, the view only translates."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from accounts.http import View, allowed, signed_in
from accounts.models import User
from accounts.permissions import Do
from hopps.errors import Refused
from hopps.http import come_again, done, refused, wants_json
from hopps.limiting import limited, spend
from hopps.limits import Limit, TooOften
from sessions_app import accept as accepting
from sessions_app import cancel as cancelling
from sessions_app import cases, first, room, watch
from sessions_app import end as ending
from sessions_app import extend as extending
from sessions_app import pause as pausing
from sessions_app import rate as rating
from sessions_app import release as releasing
from sessions_app import wait as waiting
from sessions_app.forms import ExtendForm, RatingForm, ReportForm
from sessions_app.history import role_in
from sessions_app.models import HelpSession
from sessions_app.views.find import a_request, a_session
from sessions_app.views.session import page_context

Action = Callable[[HttpRequest, HelpSession, User], HttpResponse | None]


def action(do: Do) -> Callable[[Action], View]:
    """Make a function the view of one action: POST, signed in, for those who may `do` this (404 for anybody else).

    The function may return an answer of its own; otherwise the person goes on to the session's page.
    """

    def decorate(function: Action) -> View:
        @login_required
        @require_POST
        @allowed(do, a_session)
        def view(request: HttpRequest, session: HelpSession) -> HttpResponse:
            try:
                answer = function(request, session, signed_in(request))
            except Refused as refusal:
                return refused(request, refusal, to=session.get_absolute_url())
            return answer or done(request, to=session.get_absolute_url())

        view.__name__, view.__doc__ = function.__name__, function.__doc__
        return view

    return decorate


@limited(Limit.ACCEPT)
@login_required
@require_POST
@allowed(Do.ACCEPT)
def accept(request: HttpRequest, session_id: UUID) -> HttpResponse:
    """Take the request. The loser of a race is told so, on the board."""
    try:
        session = accepting.accept(session_id=session_id, expert=signed_in(request))
    except HelpSession.DoesNotExist:
        raise Http404 from None
    except Refused as refusal:
        return refused(request, refusal, to=reverse("board"))
    return done(request, to=session.get_absolute_url())


@limited(Limit.CANCEL)
@login_required
@require_POST
@allowed(Do.PASS_ON, a_request)
def pass_on(request: HttpRequest, session: HelpSession) -> HttpResponse:
    """The expert who was asked first cannot come now."""
    try:
        first.pass_on(session_id=session.pk, expert=signed_in(request))
    except Refused as refusal:
        return refused(request, refusal, to=reverse("board"))
    if not wants_json(request):
        messages.info(request, "Thank you for saying so. The other experts hear of it now.")
    return done(request, to=reverse("board"))


@action(Do.ACT_AS_CUSTOMER)
def wait(request: HttpRequest, session: HelpSession, user: User) -> None:
    """Go on waiting."""
    waiting.keep_waiting(session_id=session.pk, customer=user)


@action(Do.ACT_AS_CUSTOMER)
def later(request: HttpRequest, session: HelpSession, user: User) -> None:
    """Leave, and hear when somebody is there."""
    watch.tell_later(session=session, customer=user)


@action(Do.ACT_AS_CUSTOMER)
def stop_telling(request: HttpRequest, session: HelpSession, user: User) -> None:
    """Do not tell any more."""
    watch.stop_telling(session=session)


@limited(Limit.CANCEL)
@action(Do.ACT_AS_CUSTOMER)
def cancel(request: HttpRequest, session: HelpSession, user: User) -> None:
    """Call the request off."""
    cancelling.cancel(session_id=session.pk, customer=user)


@limited(Limit.CANCEL)
@action(Do.ACT_AS_EXPERT)
def release(request: HttpRequest, session: HelpSession, user: User) -> HttpResponse:
    """Give the request back."""
    releasing.release(session_id=session.pk, expert=user)
    messages.info(request, "The request is back with the other experts.")
    return done(request, to=reverse("board"))


@action(Do.TAKE_PART)
def join(request: HttpRequest, session: HelpSession, user: User) -> HttpResponse:
    """Get a grant for the room. Pressed before the page's script was loaded, the page is told to join by itself."""
    if not wants_json(request):
        return redirect(f"{session.get_absolute_url()}#join")
    return JsonResponse({"grant": room.grant(session=session, person=user)})


@action(Do.TAKE_PART)
def pause(request: HttpRequest, session: HelpSession, user: User) -> None:
    """Stop the clock."""
    pausing.pause(session=session, by=user)


@action(Do.TAKE_PART)
def resume(request: HttpRequest, session: HelpSession, user: User) -> None:
    """Start the clock again."""
    pausing.resume(session=session, by=user)


@limited(Limit.ASK)
@action(Do.ACT_AS_CUSTOMER)
def extend(request: HttpRequest, session: HelpSession, user: User) -> HttpResponse | None:
    """Raise the cap."""
    form = ExtendForm(request.POST, session=session)
    if not form.is_valid():
        raise Refused("Choose how many minutes more, and one of your cards.")
    bank = extending.extend(
        session=session,
        customer=user,
        minutes=form.cleaned_data["minutes"],
        card=form.cleaned_data["card"],
        seen_cap_minutes=form.cleaned_data["seen_cap_minutes"],
    )
    return done(request, to=bank) if bank else None


@action(Do.TAKE_PART)
def end(request: HttpRequest, session: HelpSession, user: User) -> None:
    """End the session."""
    ending.end(session=session, by=user)


@action(Do.ACT_AS_CUSTOMER)
def rate(request: HttpRequest, session: HelpSession, user: User) -> HttpResponse | None:
    """Say what it was worth."""
    form = RatingForm(request.POST)
    if not form.is_valid():
        return _form_again(request, session, user, form.errors, rating_form=form)
    rating.rate(
        session=session,
        customer=user,
        stars=form.cleaned_data["stars"],
        solved=form.cleaned_data["solved"],
        comment=form.cleaned_data["comment"],
    )
    messages.success(request, "Thank you for the rating.")
    return None


@action(Do.TAKE_PART)
def report(request: HttpRequest, session: HelpSession, user: User) -> HttpResponse | None:
    """Tell the operators what went wrong."""
    form = ReportForm(request.POST)
    if not form.is_valid():
        return _form_again(request, session, user, form.errors, report_form=form)
    try:
        spend(request, Limit.REPORT)
        case = cases.report(session=session, by=user, problem=form.cleaned_data["problem"])
    except Refused as refusal:
        if not session.is_over:
            raise
        # What was written stays in the form.
        form.add_error("problem", refusal.sentence)
        answer = _form_again(request, session, user, form.errors, status=409, report_form=form)
        return come_again(answer, refusal) if isinstance(refusal, TooOften) else answer
    if case.state == case.State.OPEN:
        messages.success(request, "Thank you. Our operators have it and answer by mail.")
    return None


def _form_again(
    request: HttpRequest, session: HelpSession, user: User, errors: Any, *, status: int = 422, **forms: Any
) -> HttpResponse:
    if wants_json(request):
        first = next(iter(errors.values()))[0]
        return JsonResponse({"error": str(first)}, status=status)
    context = page_context(session, user, role_in(session, user), **forms)
    return render(request, "sessions/session.html", context, status=status)
