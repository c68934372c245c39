"""Blocking and reporting the other person of a session."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

from accounts import blocking
from accounts.models import User
from accounts.permissions import Do
from hopps.errors import Refused
from hopps.http import done_and_said, wants_json
from hopps.limiting import limited
from hopps.limits import Limit
from sessions_app import person_reports
from sessions_app.forms import PersonReportForm
from sessions_app.history import role_in
from sessions_app.models import HelpSession
from sessions_app.views.actions import action
from sessions_app.views.session import page_context


@action(Do.TAKE_PART)
def block(request: HttpRequest, session: HelpSession, user: User) -> HttpResponse:
    """Do not meet the other person again."""
    other = _other(session, user)
    blocking.block(by=user, person=other, reference=session.pk)
    sentence = f"{other} is blocked, and is not told."
    if session.is_live:
        sentence += " This call goes on: end it when you want."
    return done_and_said(request, sentence, to=_to(session), blocked=True)


@action(Do.TAKE_PART)
def unblock(request: HttpRequest, session: HelpSession, user: User) -> HttpResponse:
    """Let the two meet again."""
    other = _other(session, user)
    blocking.unblock(by=user, person=other)
    return done_and_said(request, f"{other} is not blocked any more.", to=_to(session))


@limited(Limit.REPORT)
@action(Do.TAKE_PART)
def report_person(request: HttpRequest, session: HelpSession, user: User) -> HttpResponse:
    """Tell the operators how the other person behaved."""
    _other(session, user)
    form = PersonReportForm(request.POST)
    if not form.is_valid():
        return _form_again(request, session, user, form, status=422)
    try:
        report = person_reports.report_person(session=session, by=user, **form.cleaned_data)
    except Refused as refusal:
        form.add_error(None, refusal.sentence)
        return _form_again(request, session, user, form, status=409)
    blocked = bool(form.cleaned_data["also_block"])
    sentence = "Thank you. Our operators look into it, and do not say who told them."
    if blocked:
        sentence += f" {report.about} is blocked."
    return done_and_said(request, sentence, to=_to(session), blocked=blocked)


def _form_again(
    request: HttpRequest, session: HelpSession, user: User, form: PersonReportForm, *, status: int
) -> HttpResponse:
    """Show what is wrong. What was written stays in the form."""
    if wants_json(request):
        return JsonResponse({"error": str(next(iter(form.errors.values()))[0])}, status=status)
    context = page_context(session, user, role_in(session, user), person_report_form=form)
    return render(request, "sessions/session.html", context, status=status)


def _other(session: HelpSession, user: User) -> User:
    other = session.other(user)
    if other is None:
        raise Refused("There is nobody else in this session.")
    return other


def _to(session: HelpSession) -> str:
    return f"{session.get_absolute_url()}#person"
