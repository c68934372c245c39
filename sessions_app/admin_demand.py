"""Operators' view of unmet demand: every topic's totals, and the hours of one topic or of all."""

from collections import Counter
from dataclasses import dataclass

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils import timezone

from accounts.http import signed_in
from accounts.models import Topic
from accounts.permissions import Do, may
from sessions_app.demand import WEEKS, asked_by_topic, heat_map, unmet


@dataclass(frozen=True)
class TopicDemand:
    """How many asked about a topic (None: about any), and how many of them found nobody."""

    topic: Topic | None
    asked: int
    unmet: int

    @property
    def rate(self) -> int | None:
        """The unmet ones in percent; None where nobody asked."""
        return round(100 * self.unmet / self.asked) if self.asked else None


def demand(request: HttpRequest) -> TemplateResponse:
    """The unmet demand of the last weeks; `?topic=` a slug shows the hours of that topic."""
    if not may(request.user, Do.SEE_ADMIN):
        raise PermissionDenied
    zone = signed_in(request).time_zone
    now = timezone.now()
    topics = list(Topic.objects.all())
    chosen = next((topic for topic in topics if topic.slug == request.GET.get("topic")), None)
    found = unmet(now=now)
    by_topic, asked = Counter(one.topic_id for one in found), asked_by_topic(now=now)
    rows = [TopicDemand(topic, asked.get(topic.pk, 0), by_topic[topic.pk]) for topic in topics]
    context = {
        **admin.site.each_context(request),
        "title": "Unmet demand",
        "whole": TopicDemand(None, sum(asked.values()), len(found)),
        "rows": sorted(rows, key=lambda row: -row.unmet),
        "chosen": chosen,
        "asked": asked.get(chosen.pk, 0) if chosen is not None else sum(asked.values()),
        "demand": heat_map((one.at for one in found if chosen is None or one.topic_id == chosen.pk), zone),
        "time_zone": zone,
        "weeks": WEEKS,
    }
    return TemplateResponse(request, "admin/sessions_app/helpsession/demand.html", context)
