"""What comes of a session when it is over, or found nobody."""

import uuid
from typing import ClassVar

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.models import Topic
from billing.models import Refund
from sessions_app.models.sessions import HelpSession


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


class PersonReport(models.Model):
    """What one participant says of how the other behaved, for operators to look into. Money is a `Case`'s matter."""

    class Reason(models.TextChoices):
        RUDE = "rude", "Rude, insulting or threatening"
        SEXUAL = "sexual", "Sexual remarks, or showed something sexual"
        SCAM = "scam", "A scam, or wanted to be paid outside of Hopps"
        HARM = "harm", "Asked for something harmful or illegal"
        OTHER = "other", "Something else"

    class State(models.TextChoices):
        OPEN = "open", "Open"
        CLOSED = "closed", "Closed"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    session = models.ForeignKey(HelpSession, on_delete=models.PROTECT, related_name="person_reports")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="person_reports")
    about = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="person_reports_about")
    reason = models.CharField(max_length=6, choices=Reason)
    words = models.TextField(max_length=2000, blank=True)
    at = models.DateTimeField(default=timezone.now)
    state = models.CharField(max_length=6, choices=State, default=State.OPEN)
    outcome = models.TextField(max_length=2000, blank=True, help_text="What was found and done; operators alone read it.")
    closed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["session", "by"], condition=Q(state="open"), name="one_open_person_report"),
        ]
        indexes: ClassVar = [models.Index(fields=["state", "at"], name="person_report_by_state")]
        ordering: ClassVar = ["-at"]

    def __str__(self) -> str:
        return f"{self.about}: {self.get_reason_display().lower()}"


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
