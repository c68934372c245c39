"""What happened in a session, and who is not asked again. Rows that are written once."""

import uuid
from typing import Any, ClassVar, NoReturn

from django.conf import settings
from django.db import models
from django.utils import timezone

from sessions_app.models.sessions import HelpSession


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
        REQUEUED = "requeued", "Back in the queue"
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
    """An expert who is not asked, or not again, for a request.

    They gave it back, never came, said "not now" when asked first; or one of the two blocked the other.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    session = models.ForeignKey(HelpSession, on_delete=models.CASCADE, related_name="exclusions")
    expert = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    # None, of rows from before there were blocks: no.
    blocked = models.BooleanField(null=True, editable=False)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["session", "expert"], name="excluded_once")]
