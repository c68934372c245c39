"""What was said, sent and written in the room, and what a video service told of it."""

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils import timezone

from sessions_app.models.sessions import HelpSession
from sessions_app.models.timeline import AppendOnly


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
