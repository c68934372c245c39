"""An expert's ways to be reached, and quiet for a while."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from accounts import phones, reach
from accounts.forms.reach import QuietForm, WaysForm
from accounts.http import allowed, expert_of, page_of_ours, signed_in
from accounts.models import ExpertProfile, Message
from accounts.permissions import Do
from hopps.errors import Refused
from hopps.http import done, wants_json
from hopps.limiting import limited
from hopps.limits import Limit
from hopps.templatetags.hopps import moment

State = Message.State


@login_required
@allowed(Do.USE_BOARD)
def ways(request: HttpRequest) -> HttpResponse:
    """The ways to be reached, and which of them are wanted."""
    expert = expert_of(request)
    form = WaysForm(request.POST if request.method == "POST" else None, instance=expert)
    if request.method == "POST" and form.is_valid():
        reach.choose_ways(expert=expert, **form.cleaned_data)
        if any(form.cleaned_data[way] for way in ("by_push", "by_text", "by_mail")):
            messages.success(request, "Saved.")
        else:
            messages.warning(request, "Saved. Nothing is sent to you now: only your open board chimes.")
        return redirect("expert_reach")
    return _page(request, expert, ways_form=form)


def _page(
    request: HttpRequest, expert: ExpertProfile, *, ways_form: WaysForm | None = None, quiet_form: QuietForm | None = None
) -> HttpResponse:
    now = reach.ways_now(expert)
    context = {
        "expert": expert,
        "ways_form": ways_form or WaysForm(instance=expert),
        "quiet_form": quiet_form or QuietForm(),
        "morning": reach.morning_of(expert),
        "phone": phones.phone_now(expert.user),
        "consent_wording": phones.CONSENT_WORDING,
        "push": now[Message.Way.PUSH],
        "text": now[Message.Way.TEXT],
        "mail": now[Message.Way.MAIL],
        "reachable": any(way.in_use for way in now.values()),
        "told_at_all": any(way.wanted for way in now.values()),
        "has_hours": expert.hours.exists(),
    }
    wrong = any(form is not None and form.errors for form in (ways_form, quiet_form))
    return render(request, "experts/reach.html", context, status=422 if wrong else 200)


@login_required
@require_POST
@allowed(Do.USE_BOARD)
def consent(request: HttpRequest) -> HttpResponse:
    """Agree to texts at the verified number, or end that."""
    user = signed_in(request)
    if request.POST.get("agreed") != "1":
        if phones.disagree(user=user):
            messages.success(request, "We text you no more. You can agree again at any time.")
        return redirect("expert_reach")
    try:
        phones.agree(user=user)
    except Refused as refusal:
        messages.error(request, refusal.sentence)
    else:
        messages.success(request, "Thank you. We text you when somebody needs help in your topics.")
    return redirect("expert_reach")


@limited(Limit.TEST)
@login_required
@require_POST
@allowed(Do.USE_BOARD)
def test(request: HttpRequest, way: str) -> HttpResponse:
    """Send a test, and say what became of it."""
    user = signed_in(request)
    if way not in reach.WAYS:
        raise Http404
    try:
        message = reach.send_test(user=user, way=Message.Way(way))
    except Refused as refusal:
        messages.error(request, refusal.sentence)
        return redirect("expert_reach")
    to = message.address or "your browsers"
    match message.state:
        case State.SENT | State.DELIVERED:
            messages.success(request, f"A test is on its way to {to}. It should be there within a minute.")
        case State.REFUSED:
            messages.error(request, f"The test to {to} was refused: {message.problem}")
        case State.IN_DOUBT:
            messages.warning(request, f"We do not know whether the test to {to} went out: {message.problem}")
        case _:
            messages.error(request, f"The test to {to} could not be sent just now. Wait a minute, then try again.")
    return redirect("expert_reach")


@login_required
@require_POST
@allowed(Do.USE_BOARD)
def quiet(request: HttpRequest) -> HttpResponse:
    """Do not disturb: for an hour, until the morning, until a chosen moment; or end it."""
    expert = expert_of(request)
    form = QuietForm(request.POST)
    if not form.is_valid():
        if "until" not in form.fields:
            return HttpResponseBadRequest("Say for how long: hour, morning, until, or end.")
        return _page(request, expert, quiet_form=form)
    until = form.moment(expert)
    said = "Do not disturb has ended."
    if until is None:
        reach.end_quiet(user=expert.user)
    else:
        try:
            reach.be_quiet(user=expert.user, until=until)
        except Refused as refusal:
            form.add_error("until", refusal.sentence)
            return _page(request, expert, quiet_form=form)
        said = f"Nothing disturbs you until {moment(until)}."
    if not wants_json(request):
        messages.success(request, said)
    return done(request, to=page_of_ours(request.POST.get("next", ""), otherwise=reverse("expert_reach")))
