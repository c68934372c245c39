"""Experts, the topics they help with, and when and how they may be reached."""

import uuid
from datetime import datetime, timedelta
from typing import ClassVar

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone

from hopps.money import format_money


class Topic(models.Model):
    """An area of help with a price per minute."""

    class Area(models.TextChoices):
        ENGINEERING = "engineering", "Engineering"
        MARKETING = "marketing", "Marketing"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    area = models.CharField(max_length=20, choices=Area)
    name = models.CharField(max_length=60)
    slug = models.SlugField(unique=True)
    price_per_minute = models.PositiveIntegerField(
        validators=[MinValueValidator(1)], help_text="In minor units: 200 is $2.00 a minute."
    )
    currency = models.CharField(
        max_length=3,
        default="USD",
        validators=[RegexValidator(r"^[A-Z]{3}$", "Three capital letters, such as USD.")],
    )
    is_active = models.BooleanField(default=True, help_text="Can be asked for. Past sessions keep theirs either way.")
    position = models.PositiveSmallIntegerField(default=0, help_text="Order on the page.")

    class Meta:
        ordering: ClassVar = ["area", "position", "name"]

    def __str__(self) -> str:
        return f"{self.get_area_display()} / {self.name}"

    @property
    def price_text(self) -> str:
        """The price as people read it, such as "$2.00/min"."""
        return f"{format_money(self.price_per_minute, self.currency)}/min"


class ExpertQuerySet(models.QuerySet["ExpertProfile"]):
    """Questions about experts."""

    def approved(self) -> "ExpertQuerySet":
        """Experts an operator approved, and whose account is open."""
        return self.filter(state=ExpertProfile.State.APPROVED, user__is_active=True)

    def available(self) -> "ExpertQuerySet":
        """Approved experts who switched themselves to available, and did not ask for quiet."""
        quiet_is_over = Q(quiet_until=None) | Q(quiet_until__lte=timezone.now())
        return self.approved().filter(quiet_is_over, available=True)

    def online(self, now: datetime) -> "ExpertQuerySet":
        """Available experts with a board open at `now`."""
        fresh = now - timedelta(seconds=settings.PRESENCE_STALE_SECONDS)
        return self.available().filter(board_seen_at__gte=fresh)

    def for_topic(self, topic_id: uuid.UUID) -> "ExpertQuerySet":
        """Experts approved for a topic."""
        return self.filter(topics__topic=topic_id, topics__state=ExpertTopic.State.APPROVED)


class ExpertProfile(models.Model):
    """What makes a user an expert: an application, an operator's approval, and the availability switch."""

    class State(models.TextChoices):
        APPLIED = "applied", "Applied"
        APPROVED = "approved", "Approved"
        REFUSED = "refused", "Refused"
        SUSPENDED = "suspended", "Suspended"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="expert")
    headline = models.CharField(
        max_length=120, help_text="One line customers see, such as “Postgres performance, 12 years”."
    )
    about = models.TextField(max_length=2000, blank=True)
    state = models.CharField(max_length=10, choices=State, default=State.APPLIED)
    available = models.BooleanField(default=False, help_text="The expert's own switch: requests chime only while it is on.")
    board_seen_at = models.DateTimeField(null=True, blank=True, editable=False)
    applied_at = models.DateTimeField(default=timezone.now, editable=False)
    links = models.TextField(max_length=1000, blank=True, help_text="A profile, a repository, an article: one a line.")
    devices_tested_at = models.DateTimeField(null=True, blank=True, editable=False)

    # How to be reached. Which of these works is in `accounts.reach`.
    by_push = models.BooleanField("by notification", default=True)
    by_text = models.BooleanField("by text message", default=True)
    by_mail = models.BooleanField("by mail", default=False)
    all_at_once = models.BooleanField("by all of them at once", default=False)
    quiet_until = models.DateTimeField("do not disturb until", null=True, blank=True)
    # Claimed just before a text goes out: two requests at the same moment must not both text (`sessions_app.reach`).
    last_texted_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_text = models.UUIDField(null=True, blank=True, editable=False)

    objects = ExpertQuerySet.as_manager()

    class Meta:
        verbose_name = "expert"

    def __str__(self) -> str:
        return str(self.user)

    @property
    def is_approved(self) -> bool:
        """Whether an operator's approval stands."""
        return self.state == self.State.APPROVED

    @property
    def is_quiet(self) -> bool:
        """Whether the expert asked not to be disturbed, and that is not over."""
        return self.quiet_until is not None and self.quiet_until > timezone.now()

    @property
    def is_listening(self) -> bool:
        """Whether requests may reach the expert: what `available()` asks of experts whose account is open."""
        return self.is_approved and self.available and not self.is_quiet


class ExpertTopic(models.Model):
    """A topic an expert offers; it counts once an operator approved it."""

    class State(models.TextChoices):
        APPLIED = "applied", "Applied for"
        APPROVED = "approved", "Approved"
        REFUSED = "refused", "Refused"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    expert = models.ForeignKey(ExpertProfile, on_delete=models.CASCADE, related_name="topics")
    topic = models.ForeignKey(Topic, on_delete=models.PROTECT, related_name="experts")
    state = models.CharField(max_length=10, choices=State, default=State.APPLIED)
    reason = models.CharField(max_length=500, blank=True, help_text="Why it was refused; mailed to the expert.")
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, editable=False, related_name="+"
    )
    decided_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["expert", "topic"], name="expert_topic_once")]

    def __str__(self) -> str:
        return str(self.topic)

    @property
    def is_approved(self) -> bool:
        return self.state == self.State.APPROVED


class ExpertHours(models.Model):
    """A stretch of the week in which an expert may be reached by message, on the clock of the expert's own time zone.

    An end that is not after the start is on the next day: 22:00 to 02:00 is four hours, 00:00 to 00:00 the whole day.
    Whoever has no hours at all is reached on the open board only.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    expert = models.ForeignKey(ExpertProfile, on_delete=models.CASCADE, related_name="hours")
    weekday = models.PositiveSmallIntegerField(validators=[MaxValueValidator(6)], help_text="0 is Monday.")
    start_minute = models.PositiveSmallIntegerField(validators=[MaxValueValidator(24 * 60 - 1)], help_text="After midnight.")
    end_minute = models.PositiveSmallIntegerField(validators=[MaxValueValidator(24 * 60 - 1)], help_text="After midnight.")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["expert", "weekday", "start_minute"], name="hours_once"),
        ]
        ordering: ClassVar = ["weekday", "start_minute"]
        verbose_name_plural = "hours"
