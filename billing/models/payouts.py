"""What experts are paid: where to, and how much each week."""

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone

from hopps.money import format_money


class PayoutAccount(models.Model):
    """Where an expert's earnings go: their account at the gateway."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="payout_accounts")
    gateway = models.CharField(max_length=10)
    gateway_ref = models.CharField(max_length=100)
    ready = models.BooleanField(default=False, help_text="The gateway has what it needs to pay out.")
    opened_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["owner", "gateway"], name="payout_account_once"),
            models.UniqueConstraint(fields=["gateway", "gateway_ref"], name="payout_account_ref_once"),
        ]

    def __str__(self) -> str:
        return f"{self.owner} at {self.gateway}"


class Payout(models.Model):
    """An expert's earnings of one period, transferred to their account. One insert reserves the amount."""

    class State(models.TextChoices):
        PENDING = "pending", "On its way"
        PAID = "paid", "Paid"
        FAILED = "failed", "Failed"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    account = models.ForeignKey(PayoutAccount, on_delete=models.PROTECT, related_name="payouts")
    expert = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="payouts")
    amount_minor = models.PositiveIntegerField("amount")
    # Taken back at the processor afterwards: it is owed again.
    reversed_minor = models.PositiveIntegerField("reversed", default=0)
    currency = models.CharField(max_length=3)
    # An ISO week such as 2026-W48: one payout an expert, currency and week.
    period = models.CharField(max_length=10)
    state = models.CharField(max_length=10, choices=State, default=State.PENDING)
    gateway_ref = models.CharField(max_length=100, blank=True)
    problem = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["expert", "currency", "period"], name="payout_once_a_period"),
        ]
        indexes: ClassVar = [models.Index(fields=["state", "created_at"], name="payout_by_state")]
        ordering: ClassVar = ["-created_at"]

    def __str__(self) -> str:
        return f"{format_money(self.amount_minor, self.currency)}, {self.period}"
