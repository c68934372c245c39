"""An expert's own numbers, and when people ask and find nobody."""

from collections import Counter

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.experts import week_of
from accounts.hours import within_hours
from accounts.http import allowed, expert_of, signed_in
from accounts.models import Topic
from accounts.permissions import Do
from sessions_app.demand import WEEKS, asked_by_topic, heat_map, unmet
from sessions_app.matching import approved_topic_ids
from sessions_app.statistics import TOO_SOON, figures_of


@login_required
@require_safe
@allowed(Do.USE_BOARD)
def numbers(request: HttpRequest) -> HttpResponse:
    """What was told, accepted and missed, and the unmet demand for one of the expert's topics (`?topic=` its slug)."""
    user = signed_in(request)
    expert = expert_of(request)
    now = timezone.now()
    topics = list(Topic.objects.filter(pk__in=approved_topic_ids(user)))
    found = unmet(now=now, topic_ids=[topic.pk for topic in topics])
    counts = Counter(one.topic_id for one in found)
    # Where people wait most, unless another topic is asked for.
    fullest = max(topics, key=lambda topic: counts[topic.pk], default=None)
    chosen = next((topic for topic in topics if topic.slug == request.GET.get("topic")), fullest)
    moments = [one.at for one in found if chosen is not None and one.topic_id == chosen.pk]
    hours = week_of(expert)
    periods = figures_of(user, now=now)
    context = {
        "periods": periods,
        "longest": periods[-1],
        "too_soon": int(TOO_SOON.total_seconds()),
        "topics": [(topic, counts[topic.pk]) for topic in topics],
        "chosen": chosen,
        "weeks": WEEKS,
        "asked": asked_by_topic(now=now).get(chosen.pk, 0) if chosen is not None else 0,
        "demand": heat_map(moments, user.time_zone),
        "covered": sum(within_hours(hours, user.time_zone, at) for at in moments) if hours else None,
    }
    return render(request, "experts/numbers.html", context)
