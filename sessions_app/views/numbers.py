"""An expert's own numbers, and when people ask and find nobody."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.http import signed_in
from accounts.models import ExpertProfile, Topic
from sessions_app.demand import WEEKS, heat_map, unmet
from sessions_app.matching import approved_topic_ids
from sessions_app.statistics import TOO_SOON, numbers_of


@login_required
@require_safe
def numbers(request: HttpRequest) -> HttpResponse:
    """What was told, accepted and missed, and the unmet demand for one of the expert's topics (`?topic=` its slug)."""
    user = signed_in(request)
    get_object_or_404(ExpertProfile, user=user)
    now = timezone.now()
    topics = list(Topic.objects.filter(pk__in=approved_topic_ids(user)))
    chosen = next((topic for topic in topics if topic.slug == request.GET.get("topic")), topics[0] if topics else None)
    periods = numbers_of(user, now=now)
    context = {
        "periods": periods,
        "longest": periods[-1],
        "too_soon": int(TOO_SOON.total_seconds()),
        "topics": topics,
        "chosen": chosen,
        "weeks": WEEKS,
        "demand": chosen and heat_map((asked.at for asked in unmet(now=now, topic_id=chosen.pk)), user.time_zone),
    }
    return render(request, "experts/numbers.html", context)
