"""Who was in the room and when, and when the clock stood: what the bill is made of."""

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q

from sessions_app.models.sessions import HelpSession


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
