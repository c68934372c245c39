"""What was sent to people: texts, notifications and mails, each a row."""

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone


class SentMail(models.Model):
    """A mail that goes out once: the unique key decides who sends it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    key = models.CharField(max_length=80, unique=True)
    to = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    subject = models.CharField(max_length=200)
    sent_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar = ["-sent_at"]

    def __str__(self) -> str:
        return self.subject


class Message(models.Model):
    """A message to one person by one way, from before it is sent until its outcome is known.

    The unique key decides who sends it: it is written before anybody is asked to send, and sent once.
    """

    class Way(models.TextChoices):
        BOARD = "board", "Chime on an open board"
        PUSH = "push", "Notification"
        TEXT = "text", "Text message"
        MAIL = "mail", "Mail"

    class Purpose(models.TextChoices):
        REQUEST = "request", "A request for help"
        CODE = "code", "A code to verify the number"
        TEST = "test", "A test the person asked for"

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting to be sent"
        SENDING = "sending", "Being sent"
        SENT = "sent", "Sent"
        DELIVERED = "delivered", "Delivered"
        REFUSED = "refused", "Refused"
        FAILED = "failed", "Failed"
        IN_DOUBT = "in_doubt", "In doubt: nobody knows whether it went out"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    key = models.CharField(max_length=120, unique=True)
    to = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="messages")
    way = models.CharField(max_length=5, choices=Way)
    purpose = models.CharField(max_length=7, choices=Purpose)
    # What it is about: the help session, for a request.
    reference = models.UUIDField(null=True, blank=True)
    address = models.CharField(max_length=254, blank=True, help_text="The number or mail address; empty for notifications.")
    text = models.TextField(max_length=1000, blank=True, help_text="Codes are left out.")
    state = models.CharField(max_length=9, choices=State, default=State.WAITING)
    problem = models.CharField(max_length=300, blank=True)
    gateway = models.CharField(max_length=10, blank=True, help_text="Who took it to be sent.")
    gateway_ref = models.CharField(max_length=80, blank=True)
    cost_micros = models.BigIntegerField(null=True, blank=True, help_text="Millionths of the currency, once it is known.")
    cost_currency = models.CharField(max_length=3, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    began_at = models.DateTimeField(null=True, blank=True, help_text="When the sender was asked.")
    sent_at = models.DateTimeField(null=True, blank=True, help_text="When the sender said that it has it.")

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["reference"], name="message_by_reference"),
            models.Index(fields=["to", "-created_at"], name="message_by_person"),
            models.Index(fields=["state", "created_at"], name="message_by_state"),
            models.Index(fields=["gateway_ref"], name="message_by_gateway_ref"),
        ]
        ordering: ClassVar = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.get_way_display()} to {self.to}: {self.get_state_display().lower()}"


# What may have arrived.
REACHED = (Message.State.SENT, Message.State.DELIVERED)
# What is over and did not arrive, or nobody knows: another way is tried.
MISSED = (Message.State.REFUSED, Message.State.FAILED, Message.State.IN_DOUBT)
