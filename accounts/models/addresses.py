"""Where a person can be reached: a verified phone, and browsers that take notifications."""

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone


class Phone(models.Model):
    """A person's phone number, verified by a code. An unverified one is kept in the browser session only."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="phone")
    number = models.CharField(max_length=16, unique=True, help_text="E.164, such as +436641234567.")
    verified_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return self.number


class TextConsent(models.Model):
    """A person's consent to texts at one number, in the words they agreed to, from when until when."""

    class EndedBy(models.TextChoices):
        PERSON = "person", "The person, on the settings page"
        STOP = "stop", "The person, by answering STOP"
        CARRIER = "carrier", "The carrier, which refuses the number"
        CHANGED = "changed", "Another number, or none"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="text_consents")
    number = models.CharField(max_length=16)
    wording = models.TextField(max_length=1000)
    given_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.CharField(max_length=7, choices=EndedBy, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user"], condition=Q(ended_at=None), name="one_text_consent"),
        ]
        indexes: ClassVar = [models.Index(fields=["number"], name="consent_by_number")]
        ordering: ClassVar = ["-given_at"]

    def __str__(self) -> str:
        return f"{self.number}, {'ended' if self.ended_at else 'given'}"


class PushSubscription(models.Model):
    """A browser that takes notifications for a person, with the browser closed too."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="push_subscriptions")
    endpoint = models.CharField(max_length=1000, unique=True)
    p256dh = models.CharField(max_length=200)
    auth = models.CharField(max_length=100)
    device = models.CharField(max_length=80, blank=True, help_text="Such as “Chrome on Android”.")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar = ["created_at"]

    def __str__(self) -> str:
        return self.device or "A browser"
