"""Money: cards, payments and their holds and refunds, and the ledger everything is read from."""

import uuid
from typing import Any, ClassVar, NoReturn

from django.conf import settings
from django.db import models
from django.utils import timezone

from hopps.money import format_money


class Card(models.Model):
    """A customer's saved card, known to us by the gateway's reference only."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="cards")
    gateway = models.CharField(max_length=10)
    gateway_ref = models.CharField(max_length=100)
    brand = models.CharField(max_length=20)
    last4 = models.CharField(max_length=4)
    is_default = models.BooleanField(default=False)
    added_at = models.DateTimeField(default=timezone.now)
    removed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["owner"], condition=models.Q(is_default=True), name="card_one_default"),
            models.UniqueConstraint(
                fields=["owner", "gateway", "gateway_ref"], condition=models.Q(removed_at=None), name="card_saved_once"
            ),
        ]
        ordering: ClassVar = ["-is_default", "added_at"]

    def __str__(self) -> str:
        return f"{self.brand} ending {self.last4}"


class Payment(models.Model):
    """All the money of one help session: its holds, what was charged, what was given back."""

    class State(models.TextChoices):
        OPEN = "open", "Open"  # holds may be placed; nothing charged yet
        CAPTURING = "capturing", "Being charged"  # what to charge is decided; the processor is being asked
        CHARGED = "charged", "Charged"
        RELEASED = "released", "Released"  # nothing charged, every hold goes back
        FAILED = "failed", "Capture failed"  # operators must look

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    # What the money is for, as the caller knows it: a help session's id. Billing knows nothing of sessions.
    reference = models.UUIDField(unique=True)
    description = models.CharField(max_length=200)
    payer = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="payments")
    payee = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="earnings"
    )
    currency = models.CharField(max_length=3)
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    # Written in the same UPDATE that leaves OPEN, so that every retry charges the same.
    due_minor = models.PositiveIntegerField("due", null=True, blank=True)
    charged_minor = models.PositiveIntegerField("charged", default=0)
    # The sum of the refunds that did not fail, for reading; the refunds' own rows decide what may still be given back.
    refunded_minor = models.PositiveIntegerField("refunded", default=0)
    problem = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    closed_at = models.DateTimeField(null=True, blank=True, help_text="When it was decided what to charge.")

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(refunded_minor__lte=models.F("charged_minor")), name="refunds_within_charge"
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["payer", "-created_at"], name="payment_by_payer"),
            models.Index(fields=["state", "closed_at"], name="payment_by_state"),
        ]
        ordering: ClassVar = ["-created_at"]

    def __str__(self) -> str:
        return f"{format_money(self.charged_minor, self.currency)}: {self.description}"

    @property
    def refundable_minor(self) -> int:
        """What an operator may still give back, in minor units."""
        return self.charged_minor - self.refunded_minor


class Hold(models.Model):
    """Money reserved on a card: one for asking, one more for each extension."""

    class State(models.TextChoices):
        PENDING = "pending", "Pending"  # about to be asked of the gateway, or the bank wants to see the customer
        PLACED = "placed", "Placed"
        DECLINED = "declined", "Declined"
        CAPTURED = "captured", "Captured"
        RELEASING = "releasing", "Being released"  # decided; the processor is being asked
        RELEASED = "released", "Released"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="holds")
    sequence = models.PositiveSmallIntegerField()
    card = models.ForeignKey(Card, on_delete=models.PROTECT, related_name="holds")
    amount_minor = models.PositiveIntegerField("amount")
    captured_minor = models.PositiveIntegerField("captured", default=0)
    state = models.CharField(max_length=10, choices=State, default=State.PENDING)
    gateway_ref = models.CharField(max_length=100, blank=True)
    # Kept so that the processor can be asked again with exactly the same words.
    return_url = models.CharField(max_length=500, blank=True)
    problem = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(captured_minor__lte=models.F("amount_minor")), name="capture_within_hold"
            ),
            models.UniqueConstraint(fields=["payment", "sequence"], name="hold_sequence_once"),
            # Two tabs, or a double click, can start only one hold at a time.
            models.UniqueConstraint(fields=["payment"], condition=models.Q(state="pending"), name="hold_one_pending"),
        ]
        indexes: ClassVar = [models.Index(fields=["state", "created_at"], name="hold_by_state")]
        ordering: ClassVar = ["sequence"]

    def __str__(self) -> str:
        return f"{format_money(self.amount_minor, self.payment.currency)} {self.get_state_display().lower()}"


class Refund(models.Model):
    """Money given back, by whom and why.

    One insert reserves the amount and fixes how it is shared out; the unique sequence decides between two at once. All
    that follows (processor, ledger) can be done again from the row.
    """

    class State(models.TextChoices):
        PENDING = "pending", "Pending"
        SUCCEEDED = "succeeded", "Succeeded"
        FAILED = "failed", "Failed"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="refunds")
    sequence = models.PositiveIntegerField()
    amount_minor = models.PositiveIntegerField("amount")
    expert_minor = models.PositiveIntegerField("the expert's part", help_text="The platform gives the rest.")
    # From which holds: [{"hold": id, "amount_minor": int, "ref": the processor's refund, once it answered}, …]
    parts = models.JSONField(default=list)
    reason = models.CharField(max_length=300)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="refunds_made")
    state = models.CharField(max_length=10, choices=State, default=State.PENDING)
    problem = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["payment", "sequence"], name="refund_sequence_once")]
        indexes: ClassVar = [models.Index(fields=["state", "created_at"], name="refund_by_state")]
        ordering: ClassVar = ["sequence"]

    def __str__(self) -> str:
        return f"{format_money(self.amount_minor, self.payment.currency)}: {self.reason}"


class PostingQuerySet(models.QuerySet["Posting"]):
    """The ledger only grows."""

    def update(self, **kwargs: Any) -> NoReturn:
        raise TypeError("The ledger is append-only: write a new posting instead.")

    def delete(self) -> NoReturn:
        raise TypeError("The ledger is append-only: write a new posting instead.")


class Posting(models.Model):
    """What each party gained (+) or gave (−) at once, in minor units. A row sums to zero (decision 0001)."""

    class Kind(models.TextChoices):
        CHARGE = "charge", "Charge"
        REFUND = "refund", "Refund"
        PAYOUT = "payout", "Payout"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    key = models.CharField(max_length=80, unique=True)
    kind = models.CharField(max_length=10, choices=Kind)
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, null=True, related_name="postings")
    customer_user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    expert_user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="expert_postings"
    )
    currency = models.CharField(max_length=3)
    customer = models.IntegerField()
    expert = models.IntegerField()
    platform = models.IntegerField()
    processor = models.IntegerField()
    posted_at = models.DateTimeField(default=timezone.now)

    objects = PostingQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(customer=-models.F("expert") - models.F("platform") - models.F("processor")),
                name="posting_sums_to_zero",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["expert_user", "-posted_at"], name="posting_by_expert")]
        ordering: ClassVar = ["-posted_at"]

    def __str__(self) -> str:
        return self.key

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Insert only."""
        kwargs["force_insert"] = True
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise TypeError("The ledger is append-only: write a new posting instead.")


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

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["intent", "sequence"], name="demo_refund_sequence_once")]

    def __str__(self) -> str:
        return self.key
