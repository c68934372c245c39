"""Help sessions: the request and all that becomes of it."""

import uuid
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from accounts.models import Topic, User
from billing.pricing import Price


class State(models.TextChoices):
    """The life of a help session (DESIGN §2)."""

    DRAFT = "draft", "Draft"  # written, no hold placed yet; seen by its customer only
    REQUESTED = "requested", "Looking for an expert"
    ACCEPTED = "accepted", "Accepted"
    ACTIVE = "active", "In session"
    ENDED = "ended", "Ended"
    CANCELLED = "cancelled", "Cancelled"
    EXPIRED = "expired", "Expired"


OPEN_STATES = (State.REQUESTED, State.ACCEPTED, State.ACTIVE)
LIVE_STATES = (State.ACCEPTED, State.ACTIVE)
OVER_STATES = (State.ENDED, State.CANCELLED, State.EXPIRED)


class HelpSessionQuerySet(models.QuerySet["HelpSession"]):
    """Questions about help sessions."""

    def of(self, user: User) -> "HelpSessionQuerySet":
        """Sessions `user` takes part in, as customer or as expert."""
        return self.filter(Q(customer=user) | Q(expert=user))

    def open(self) -> "HelpSessionQuerySet":
        """Sessions somebody is waiting in or talking in."""
        return self.filter(state__in=OPEN_STATES)

    def live(self) -> "HelpSessionQuerySet":
        """Sessions that keep an expert busy."""
        return self.filter(state__in=LIVE_STATES)

    def with_people(self) -> "HelpSessionQuerySet":
        """Everything a page names, in one query."""
        return self.select_related("customer", "expert", "topic")


class Video(models.TextChoices):
    """What carries picture and sound (DESIGN §5)."""

    PEER = "peer", "Between the two browsers"
    TWILIO = "twilio", "A Twilio room"


class HelpSession(models.Model):
    """One request and all that becomes of it. Changed by the functions beside this file only."""

    class EndReason(models.TextChoices):
        CUSTOMER = "customer", "The customer ended it"
        EXPERT = "expert", "The expert ended it"
        CAP = "cap", "The cap was reached"
        ABSENCE = "absence", "One side was gone too long"
        LONGEST = "longest", "The longest allowed time was reached"
        NO_SHOW = "no_show", "The customer did not come"
        NO_HOLD = "no_hold", "The bank gave the hold back"
        LATER = "later", "The customer is told when somebody is there"
        HOPPS = "hopps", "Hopps ended it"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    customer = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="asked_sessions")
    expert = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="helped_sessions"
    )
    topic = models.ForeignKey(Topic, on_delete=models.PROTECT, related_name="sessions")
    title = models.CharField(max_length=120)
    details = models.TextField(max_length=5000, blank=True)
    state = models.CharField(max_length=10, choices=State, default=State.DRAFT)

    # The price as it was shown before asking; topics may change afterwards.
    currency = models.CharField(max_length=3)
    price_per_minute = models.PositiveIntegerField(help_text="Minor units.")
    cap_minutes = models.PositiveSmallIntegerField(help_text="What the hold covers, extensions included.")
    free_seconds = models.PositiveIntegerField(default=0, help_text="The fit window: settled when an expert accepts.")

    created_at = models.DateTimeField(default=timezone.now)
    requested_at = models.DateTimeField(null=True)
    queued_at = models.DateTimeField(null=True, help_text="When it was last put in front of experts.")
    accepted_at = models.DateTimeField(null=True)
    active_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    end_reason = models.CharField(max_length=10, choices=EndReason, blank=True)

    # Whom the customer wants first; until then nobody else hears of it.
    first_expert = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    first_until = models.DateTimeField(null=True, blank=True)
    # The chain of waves: a wave is whoever moves `next_wave_at` on.
    waves = models.PositiveSmallIntegerField(default=0)
    next_wave_at = models.DateTimeField(null=True, blank=True)
    kept_waiting_at = models.DateTimeField(null=True, blank=True, help_text="When the customer last chose to go on waiting.")

    # Which adapter carries the call (`video/`): from the settings when it is accepted; it changes once at most, to PEER.
    video = models.CharField(max_length=6, choices=Video, default=Video.PEER)
    # The video service's room, once it was made there.
    room_sid = models.CharField(max_length=34, blank=True)

    # Set once, when the last attendance is closed and the bill is known.
    settled_at = models.DateTimeField(null=True)
    billable_seconds = models.PositiveIntegerField(default=0)
    amount_minor = models.PositiveIntegerField(default=0)

    objects = HelpSessionQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["customer"], condition=Q(state__in=["requested", "accepted", "active"]), name="one_open_request"
            ),
            models.UniqueConstraint(fields=["customer"], condition=Q(state="draft"), name="one_draft"),
            models.UniqueConstraint(
                fields=["expert"], condition=Q(state__in=["accepted", "active"]), name="one_live_session"
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["customer", "-created_at"], name="session_by_customer"),
            models.Index(fields=["expert", "-created_at"], name="session_by_expert"),
            models.Index(fields=["state", "created_at"], name="session_by_state"),
            models.Index(fields=["accepted_at"], name="session_by_accepted"),
            models.Index(fields=["topic", "requested_at"], name="session_by_topic"),
        ]
        ordering: ClassVar = ["-created_at"]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("session", args=[self.pk])

    @property
    def audience(self) -> str:
        """The hub's audience for both participants' pages."""
        return f"session:{self.pk}"

    @property
    def is_open(self) -> bool:
        return self.state in OPEN_STATES

    @property
    def is_live(self) -> bool:
        return self.state in LIVE_STATES

    @property
    def is_over(self) -> bool:
        return self.state in OVER_STATES

    @property
    def expires_at(self) -> datetime | None:
        """When an unanswered request lapses."""
        since = self.waiting_since
        return since and since + timedelta(seconds=settings.REQUEST_EXPIRES_SECONDS)

    @property
    def waiting_since(self) -> datetime | None:
        """Since when the customer has been waiting without a word: last put in front of experts, or chose to go on."""
        if self.queued_at is None or self.kept_waiting_at is None:
            return self.queued_at
        return max(self.queued_at, self.kept_waiting_at)

    def is_for_first_expert(self, now: datetime) -> bool:
        """Whether at `now` (UTC) the request is for the expert alone whom the customer asked first."""
        return self.first_until is not None and now < self.first_until

    @property
    def price(self) -> Price:
        """How this session's time becomes money."""
        return Price(
            currency=self.currency,
            per_minute=self.price_per_minute,
            free_seconds=self.free_seconds,
            cap_minutes=self.cap_minutes,
        )

    def other(self, user: User) -> User | None:
        """The person `user` talks to here."""
        return self.expert if user.pk == self.customer_id else self.customer


def people_of(session: HelpSession) -> Iterable[User]:
    """Yield the participants who are known so far."""
    yield session.customer
    if session.expert is not None:
        yield session.expert
