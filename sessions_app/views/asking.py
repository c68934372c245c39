"""The ask page."""

import contextlib

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods

from accounts.models import User
from billing.cards import cards_of, failed_cards_of
from billing.gateways import gateway
from hopps import limiting
from hopps.errors import Refused
from hopps.everybody import for_everybody
from hopps.http import come_again
from hopps.limits import Limit, TooOften
from sessions_app import ask as asking
from sessions_app.first import KnownExpert, known_expert
from sessions_app.forms import AskForm, PaidAskForm, topic_of
from sessions_app.matching import active_topics, topics_without_anyone
from sessions_app.words import forget_words, keep_words, kept_words, words_to_ask_again


@for_everybody
@require_http_methods(["GET", "HEAD", "POST"])
def ask(request: HttpRequest) -> HttpResponse:
    """Write a request; sign up or add a card on the way where needed, keeping every word."""
    if request.method == "POST":
        keep_words(request, request.POST)
    user = request.user
    if not isinstance(user, User):
        return _ask_visitor(request)
    open_session = asking.open_request_of(user)
    if open_session is not None:
        messages.info(request, "You have an open request. Here it is.")
        return redirect(open_session)
    if request.method == "POST":
        return _send(request, user) if "card" in request.POST or _pays_on_the_way(user) else _choose_card(request, user)
    initial = _initial(request, user)
    known = known_expert(customer=user, session_id=initial.get("first"))
    return _page(request, user, _form(user, initial, known), status=200, known=known)


def _ask_visitor(request: HttpRequest) -> HttpResponse:
    """A visitor's words are checked, kept, and waiting after sign-up."""
    if request.method == "POST":
        form = AskForm(request.POST, topic=topic_of(request.POST.get("topic")))
        if form.is_valid():
            return redirect(f"{reverse('account_signup')}?{urlencode({'next': reverse('ask')})}")
        return _page(request, None, form, status=422)
    return _page(request, None, AskForm(initial=kept_words(request, None)), status=200)


def _pays_on_the_way(user: User) -> bool:
    """Whether the first card is typed on the processor's page, together with the hold."""
    return gateway().hosted and not cards_of(user).exists()


def _choose_card(request: HttpRequest, user: User) -> HttpResponse:
    """From the landing page's box, or from somebody without a card: the words are kept, the card comes next."""
    if cards_of(user).exists():
        return redirect("ask")
    known = known_expert(customer=user, session_id=request.POST.get("first"))
    form = AskForm(request.POST, topic=topic_of(request.POST.get("topic")), known=known)
    if form.is_valid():
        return redirect(f"{reverse('card_add')}?{urlencode({'next': reverse('ask')})}")
    return _page(request, user, form, status=422, known=known)


def _initial(request: HttpRequest, user: User) -> dict[str, object]:
    """What the form begins with: an earlier request's words, what was typed last, or nothing; and whom to ask first."""
    again, first = request.GET.get("again"), request.GET.get("first")
    initial = (words_to_ask_again(again, user) if again else None) or kept_words(request, asking.draft_of(user))
    known = known_expert(customer=user, session_id=first) if first else None
    if known is None:
        return initial
    return {"topic": str(known.session.topic_id), **initial, "first": str(known.session.pk)}


def _form(user: User, initial: dict[str, object], known: KnownExpert | None) -> AskForm:
    """The form to show first, or again after the landing page's box: with a card to choose where there is one."""
    topic = topic_of(initial.get("topic"))
    if not cards_of(user).exists():
        return AskForm(initial=initial, topic=topic, known=known)
    return PaidAskForm(initial=initial, topic=topic, known=known, customer=user)


def _send(request: HttpRequest, user: User) -> HttpResponse:
    form: AskForm
    topic = topic_of(request.POST.get("topic"))
    known = known_expert(customer=user, session_id=request.POST.get("first"))
    if _pays_on_the_way(user):
        form = AskForm(request.POST, topic=topic, known=known)
    else:
        form = PaidAskForm(request.POST, topic=topic, known=known, customer=user)
    if not form.is_valid():
        return _page(request, user, form, status=422, known=known)
    words = form.cleaned_data
    try:
        limiting.check(request, Limit.DECLINED)
        limiting.spend(request, Limit.ASK)
        outcome = asking.ask(
            customer=user,
            topic=words["topic"],
            title=words["title"],
            details=words["details"],
            cap_minutes=words["cap_minutes"],
            card=words.get("card"),
            # Gone meanwhile or not: the rule says so when the request goes live.
            first_expert=known.expert if known is not None else None,
        )
    except Refused as refusal:
        form.add_error(None, refusal.sentence)
        answer = _page(request, user, form, status=409, known=known)
        return come_again(answer, refusal) if isinstance(refusal, TooOften) else answer
    match outcome:
        case asking.NotHeld(sentence=sentence, declined=declined):
            if declined:
                with contextlib.suppress(TooOften):  # the next one is told
                    limiting.spend(request, Limit.DECLINED)
            form.add_error("card" if "card" in form.fields else None, sentence)
            return _page(request, user, form, status=422, known=known)
        case asking.BankAsks(url=url):
            forget_words(request)
            return redirect(url)
        case asking.AlreadyOpen(session=session):
            messages.info(request, "You have an open request. Here it is.")
            return redirect(session)
        case asking.Live(session=session):
            forget_words(request)
            return redirect(session)


def _page(
    request: HttpRequest, user: User | None, form: AskForm, *, status: int, known: KnownExpert | None = None
) -> HttpResponse:
    topics = active_topics()
    quiet = topics_without_anyone(topics, customer=user)
    chosen = topic_of(form["topic"].value())
    context = {
        "form": form,
        "topics": topics,
        "quiet_topics": quiet,
        # With a topic chosen, only that one is of interest.
        "named_quiet": quiet if chosen is None else [topic for topic in quiet if topic == chosen],
        "known": known,
        "cards": list(cards_of(user)) if user is not None else [],
        "failed_cards": list(failed_cards_of(user)) if user is not None else [],
        "demo": settings.PAYMENTS == "demo",
        "hosted": gateway().hosted,
    }
    return render(request, "sessions/ask.html", context, status=status)
