"""The demo gateway's own books: what a real processor would keep on its side."""

import uuid
from typing import ClassVar

from django.db import models
from django.utils import timezone

from hopps.money import format_money


class DemoIntent(models.Model):
    """The demo gateway's own books: what a real processor would keep on its side."""

    class State(models.TextChoices):
        NEEDS_ACTION = "needs_action", "Waits for the customer"
        HELD = "held", "Held"
        DECLINED = "declined", "Declined"
        CAPTURED = "captured", "Captured"
        RELEASED = "released", "Released"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    key = models.CharField("idempotency key", max_length=100, unique=True)
    card_ref = models.CharField(max_length=100)
    amount_minor = models.PositiveIntegerField("amount")
    captured_minor = models.PositiveIntegerField("captured", default=0)
    capture_key = models.CharField("idempotency key of the capture", max_length=100, blank=True)
    currency = models.CharField(max_length=3)
    state = models.CharField(max_length=15, choices=State)
    problem = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"{format_money(self.amount_minor, self.currency)} {self.get_state_display().lower()}"


class DemoRefund(models.Model):
    """A refund in the demo gateway's own books."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    key = models.CharField("idempotency key", max_length=100, unique=True)
    intent = models.ForeignKey(DemoIntent, on_delete=models.PROTECT, related_name="refunds")
    sequence = models.PositiveIntegerField()
    amount_minor = models.PositiveIntegerField("amount")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["intent", "sequence"], name="demo_refund_sequence_once")]

    def __str__(self) -> str:
        return self.key


class DemoAccount(models.Model):
    """An expert's account in the demo gateway's own books."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    key = models.CharField("idempotency key", max_length=100, unique=True)
    ready = models.BooleanField(default=False)

    def __str__(self) -> str:
        return self.key


class DemoTransfer(models.Model):
    """A payout in the demo gateway's own books."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    key = models.CharField("idempotency key", max_length=100, unique=True)
    account = models.ForeignKey(DemoAccount, on_delete=models.PROTECT, related_name="transfers")
    amount_minor = models.PositiveIntegerField("amount")
    currency = models.CharField(max_length=3)
    created_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return self.key
