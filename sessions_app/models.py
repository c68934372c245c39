"""Help sessions: the request and all that becomes of it."""

import uuid
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, ClassVar, NoReturn

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from accounts.models import Topic, User
from billing.models import Refund
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

    def for_now(self, expert: User, now: datetime) -> "HelpSessionQuerySet":
        """Leave out what at `now` (UTC) is for another expert alone, whom the customer asked first."""
        return self.filter(Q(first_until=None) | Q(first_until__lte=now) | Q(first_expert=expert))

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

    def is_participant(self, user: User) -> bool:
        """Whether `user` is this session's customer or expert."""
        return user.pk in (self.customer_id, self.expert_id)

    def other(self, user: User) -> User | None:
        """The person `user` talks to here."""
        return self.expert if user.pk == self.customer_id else self.customer


class AppendOnly(models.Model):
    """A row that is written once and never changed."""

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Insert only."""
        kwargs["force_insert"] = True
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise TypeError(f"A {self._meta.verbose_name} is never deleted.")


class TimelineEntry(AppendOnly):
    """One thing that happened in a session, with who and when."""

    class Kind(models.TextChoices):
        REQUESTED = "requested", "asked for help"
        ACCEPTED = "accepted", "accepted"
        RELEASED = "released", "gave the request back"
        RETURNED = "returned", "did not come in time; back to the queue"
        JOINED = "joined", "joined the room"
        LEFT = "left", "left the room"
        STARTED = "started", "The session started: both are here"
        PAUSED = "paused", "paused the clock"
        RESUMED = "resumed", "resumed the clock"
        EXTENDED = "extended", "extended the session"
        ENDED = "ended", "ended the session"
        CANCELLED = "cancelled", "cancelled the request"
        EXPIRED = "expired", "Nobody accepted in time"
        TOLD = "told", "Telling experts"
        OPENED = "opened", "Every expert sees it now"
        WAITED = "waited", "goes on waiting"
        CHARGED = "charged", "The bill"
        REFUNDED = "refunded", "refunded"
        DISPUTED = "disputed", "The bank disputes the charge"
        RATED = "rated", "rated the session"
        REPORTED = "reported", "reported a problem"
        ANSWERED = "answered", "answered the report"
        REROUTED = "rerouted", "The video service was out of reach"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    session = models.ForeignKey(HelpSession, on_delete=models.PROTECT, related_name="timeline")
    at = models.DateTimeField(default=timezone.now)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    kind = models.CharField(max_length=10, choices=Kind)
    note = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering: ClassVar = ["at"]
        verbose_name_plural = "timeline"

    def __str__(self) -> str:
        who = f"{self.by} " if self.by_id else ""
        return f"{who}{self.get_kind_display()}" + (f": {self.note}" if self.note else "")


class Exclusion(models.Model):
    """An expert who is not asked again for a request: they gave it back, never came, or said "not now" when asked first."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    session = models.ForeignKey(HelpSession, on_delete=models.CASCADE, related_name="exclusions")
    expert = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["session", "expert"], name="excluded_once")]


class Attendance(models.Model):
    """One stretch of one person's presence in a room."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    session = models.ForeignKey(HelpSession, on_delete=models.PROTECT, related_name="attendances")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    # The page load this is; a page that was let in once may come back without a new grant.
    page = models.UUIDField()
    joined_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    left_at = models.DateTimeField(null=True)
    # When this page first had the other's sound or picture; None: the two never met.
    media_at = models.DateTimeField(null=True)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["session", "left_at"], name="attendance_open")]
        ordering: ClassVar = ["joined_at"]


class Pause(models.Model):
    """A stretch in which either side stopped the clock."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    session = models.ForeignKey(HelpSession, on_delete=models.PROTECT, related_name="pauses")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["session"], condition=Q(ended_at=None), name="one_open_pause"),
        ]
        ordering: ClassVar = ["started_at"]


class ChatMessage(AppendOnly):
    """A line of the room's chat, kept."""

    # Chosen by the page, so that a line sent again after a lost connection is kept once.
    id = models.UUIDField(primary_key=True, editable=False)
    session = models.ForeignKey(HelpSession, on_delete=models.PROTECT, related_name="chat")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    body = models.TextField(max_length=4000)
    sent_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar = ["sent_at"]


class ChatFile(AppendOnly):
    """A file somebody put into the chat; its line has no words. The bytes are in the storage named "uploads"."""

    message = models.OneToOneField(ChatMessage, on_delete=models.PROTECT, primary_key=True, related_name="file")
    session = models.ForeignKey(HelpSession, on_delete=models.PROTECT, related_name="files")
    # The first is 1: two sent at the same moment cannot both be the last that is allowed.
    number = models.PositiveSmallIntegerField()
    name = models.CharField(max_length=200, help_text="As the sender's computer calls it.")
    content_type = models.CharField(max_length=100, help_text="As found by looking into it.")
    size = models.PositiveIntegerField(help_text="Bytes.")
    stored_as = models.CharField(max_length=200, unique=True, help_text="Its name in the storage.")

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["session", "number"], name="one_file_a_number")]
        ordering: ClassVar = ["number"]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("session_file", args=[self.session_id, self.pk])

    @property
    def is_image(self) -> bool:
        """Whether pages show it as a picture; everything else is a file to download."""
        return self.content_type.startswith("image/")


class SharedNotes(models.Model):
    """A text both sides write in, as it stands after `revision` edits."""

    session = models.OneToOneField(HelpSession, on_delete=models.PROTECT, primary_key=True, related_name="notes")
    body = models.TextField(blank=True)
    revision = models.PositiveIntegerField(default=0)


class NotesEdit(AppendOnly):
    """One edit of the shared notes, as it was applied: the edits in order make the text."""

    # Chosen by the page, so that an edit sent again after a lost connection is applied once.
    id = models.UUIDField(primary_key=True, editable=False)
    session = models.ForeignKey(HelpSession, on_delete=models.PROTECT, related_name="notes_edits")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    revision = models.PositiveIntegerField(help_text="The text's number after this edit.")
    change = models.JSONField()
    edited_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["session", "revision"], name="one_edit_a_revision")]
        ordering: ClassVar = ["revision"]


class VideoEvent(AppendOnly):
    """What the video service told of a session's room, as it came: evidence, and never by itself a reason to bill."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    session = models.ForeignKey(HelpSession, on_delete=models.PROTECT, related_name="video_events")
    # Made from what the event says, so that one told twice is kept once.
    key = models.CharField(max_length=64, unique=True)
    room_sid = models.CharField(max_length=34)
    kind = models.CharField(max_length=50, help_text="As the service calls it, such as participant-connected.")
    # The service's clock: events come in any order, this is the true one.
    at = models.DateTimeField()
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    fields = models.JSONField(help_text="All it said.")
    received_at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["session", "at"], name="video_event_by_time"),
            models.Index(fields=["kind", "received_at"], name="video_event_by_kind"),
        ]
        ordering: ClassVar = ["at"]


class Rating(models.Model):
    """What the customer thought of it."""

    class Solved(models.TextChoices):
        YES = "yes", "Yes"
        PARTLY = "partly", "Partly"
        NO = "no", "No"

    session = models.OneToOneField(HelpSession, on_delete=models.PROTECT, primary_key=True, related_name="rating")
    stars = models.PositiveSmallIntegerField(validators=[MinValueValidator(1), MaxValueValidator(5)])
    solved = models.CharField(max_length=6, choices=Solved)
    comment = models.TextField(max_length=1000, blank=True)
    rated_at = models.DateTimeField(default=timezone.now)


class Case(models.Model):
    """A problem a participant reported, for operators to answer with a refund or a refusal."""

    class State(models.TextChoices):
        OPEN = "open", "Open"
        REFUNDED = "refunded", "Refunded"
        REFUSED = "refused", "Refused"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    session = models.ForeignKey(HelpSession, on_delete=models.PROTECT, related_name="cases")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="cases")
    problem = models.TextField(max_length=2000)
    opened_at = models.DateTimeField(default=timezone.now)
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    answer = models.TextField(max_length=2000, blank=True)
    answered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="cases_answered"
    )
    answered_at = models.DateTimeField(null=True, blank=True)
    refund = models.ForeignKey(Refund, on_delete=models.PROTECT, null=True, blank=True, related_name="cases")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["session", "by"], condition=Q(state="open"), name="one_open_case"),
        ]
        indexes: ClassVar = [models.Index(fields=["state", "opened_at"], name="case_by_state")]
        ordering: ClassVar = ["-opened_at"]

    def __str__(self) -> str:
        return f"{self.session}: {self.get_state_display().lower()}"

    @property
    def is_unfinished(self) -> bool:
        """Whether somebody decided to refund, and the money was not moved: for the bank's or for a crash's sake."""
        return self.state == self.State.REFUNDED and self.refund_id is None


class Watch(models.Model):
    """A customer whose request found nobody, to be told once when an expert for its topic is there."""

    session = models.OneToOneField(HelpSession, on_delete=models.PROTECT, primary_key=True, related_name="watch")
    customer = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="watches")
    topic = models.ForeignKey(Topic, on_delete=models.PROTECT, related_name="watches")
    since = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True, blank=True, help_text="Told, or no longer of interest.")

    class Meta:
        indexes: ClassVar = [models.Index(fields=["ended_at", "topic"], name="watch_by_topic")]
        ordering: ClassVar = ["since"]
        verbose_name_plural = "watches"


def people_of(session: HelpSession) -> Iterable[User]:
    """Yield the participants who are known so far."""
    yield session.customer
    if session.expert is not None:
        yield session.expert
