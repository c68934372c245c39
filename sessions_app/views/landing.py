"""The front page."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from accounts.models import ExpertProfile, Topic, User
from billing.pricing import Price, amount_due
from hopps.everybody import for_everybody
from sessions_app.ask import draft_of
from sessions_app.forms import AskForm
from sessions_app.matching import active_topics, usual_wait_seconds
from sessions_app.words import kept_words

EXAMPLE_MINUTES = 25


@for_everybody
def home(request: HttpRequest) -> HttpResponse:
    """What Hopps is, who is there, what it costs, and the ask box."""
    topics = active_topics()
    draft = draft_of(request.user) if isinstance(request.user, User) else None
    context = {
        "form": AskForm(initial=kept_words(request, draft)),
        "topics": topics,
        "experts_online": ExpertProfile.objects.online(timezone.now()).count(),
        "usual_wait": usual_wait_seconds(),
        "example": worked_example(topics[0]) if topics else None,
    }
    return render(request, "pages/home.html", context)


def worked_example(topic: Topic) -> dict[str, object]:
    """Return the cost of a session of 25 minutes with an expert new to the customer, by the rule that bills real ones."""
    price = Price(
        currency=topic.currency,
        per_minute=topic.price_per_minute,
        free_seconds=settings.FIT_WINDOW_SECONDS,
        cap_minutes=max(settings.CAP_MINUTES),
    )
    free_minutes = settings.FIT_WINDOW_SECONDS // 60
    return {
        "topic": topic,
        "minutes": EXAMPLE_MINUTES,
        "free_minutes": free_minutes,
        "billed_minutes": EXAMPLE_MINUTES - free_minutes,
        "cost_minor": amount_due(EXAMPLE_MINUTES * 60, price),
        "currency": topic.currency,
        "price_per_minute": topic.price_per_minute,
    }
