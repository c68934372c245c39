"""The money of a help session: its holds, what was charged, and what went back."""

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone

from billing.models.cards import Card
from hopps.money import format_money


class Payment(models.Model):
    """All the money of one help session: its holds, what was charged, what was given back."""

    class State(models.TextChoices):
        OPEN = "open", "Open"  # holds may be placed; nothing charged yet
        CAPTURING = "capturing", "Being charged"  # what to charge is decided; the processor is being asked
        CHARGED = "charged", "Charged"
        RELEASED = "released", "Released"  # nothing charged, every hold goes back
        FAILED = "failed", "Capture failed"  # refused; tried again with back-off, then flagged to operators

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
    # The sum of disputes that are open or lost: money the bank took back.
    disputed_minor = models.PositiveIntegerField("disputed", default=0)
    problem = models.CharField(max_length=200, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0, help_text="How often the processor refused to charge.")
    next_try_at = models.DateTimeField("next try", null=True, blank=True)
    flagged_at = models.DateTimeField(null=True, blank=True, help_text="When operators and the customer were told.")
    kept_back = models.BooleanField(default=False, help_text="A problem is being looked at: its earnings wait.")
    # The tax the price included on the day it was charged; receipts say so for good.
    tax_name = models.CharField(max_length=20, blank=True)
    tax_basis_points = models.PositiveIntegerField(default=0)
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
            models.Index(fields=["state", "next_try_at"], name="payment_by_next_try"),
        ]
        ordering: ClassVar = ["-created_at"]

    def __str__(self) -> str:
        return f"{format_money(self.charged_minor, self.currency)}: {self.description}"

    @property
    def refundable_minor(self) -> int:
        """What an operator may still give back, in minor units."""
        return max(0, self.charged_minor - self.refunded_minor - self.disputed_minor)

    @property
    def paid_minor(self) -> int:
        """What the customer paid in the end, in minor units."""
        return max(0, self.charged_minor - self.refunded_minor)


class Hold(models.Model):
    """Money reserved on a card: one for asking, one more for each extension."""

    class State(models.TextChoices):
        PENDING = "pending", "Pending"  # about to be asked of the gateway, or the bank wants to see the customer
        PLACED = "placed", "Placed"
        DECLINED = "declined", "Declined"
        CAPTURED = "captured", "Captured"
        RELEASING = "releasing", "Being released"  # decided; the processor is being asked
        RELEASED = "released", "Released"
        LAPSED = "lapsed", "Lapsed at the bank"  # given back by the bank, though we did not say so

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="holds")
    sequence = models.PositiveSmallIntegerField()
    gateway = models.CharField(max_length=10)
    # None until the customer typed one on the gateway's own page.
    card = models.ForeignKey(Card, on_delete=models.PROTECT, null=True, blank=True, related_name="holds")
    amount_minor = models.PositiveIntegerField("amount")
    captured_minor = models.PositiveIntegerField("captured", default=0)
    state = models.CharField(max_length=10, choices=State, default=State.PENDING)
    gateway_ref = models.CharField(max_length=100, blank=True)
    # Kept so that the processor can be asked again with exactly the same words.
    description = models.CharField(max_length=200, blank=True)
    return_url = models.CharField(max_length=500, blank=True)
    problem = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    placed_at = models.DateTimeField(null=True, blank=True, help_text="When the money was known to be reserved.")

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(captured_minor__lte=models.F("amount_minor")), name="capture_within_hold"
            ),
            models.UniqueConstraint(fields=["payment", "sequence"], name="hold_sequence_once"),
            # Two tabs, or a double click, can start only one hold at a time.
            models.UniqueConstraint(fields=["payment"], condition=models.Q(state="pending"), name="hold_one_pending"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["state", "created_at"], name="hold_by_state"),
            models.Index(fields=["gateway_ref"], name="hold_by_ref"),
        ]
        ordering: ClassVar = ["sequence"]

    def __str__(self) -> str:
        return f"{format_money(self.amount_minor, self.payment.currency)} {self.get_state_display().lower()}"

    @property
    def was_placed(self) -> bool:
        """Whether money was ever reserved: a page nobody paid on, or a question nobody answered, reserved none."""
        return self.placed_at is not None or self.state in (self.State.PLACED, self.State.CAPTURED, self.State.LAPSED)


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
    # Of these, what the bank did not take after all: it came back to us.
    failed_minor = models.PositiveIntegerField("failed", default=0)
    expert_failed_minor = models.PositiveIntegerField("the expert's part of what failed", default=0)
    # From which holds: [{"hold": id, "amount_minor": int, "ref": the processor's refund, once it answered, "state": …}, …]
    parts = models.JSONField(default=list)
    # Counts the changes of `parts`: whoever writes them says which they read.
    revision = models.PositiveIntegerField(default=0, editable=False)
    reason = models.CharField(max_length=300)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="refunds_made",
        help_text="Nobody: made at the processor.",
    )
    state = models.CharField(max_length=10, choices=State, default=State.PENDING)
    problem = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["payment", "sequence"], name="refund_sequence_once")]
        indexes: ClassVar = [models.Index(fields=["state", "created_at"], name="refund_by_state")]
        ordering: ClassVar = ["sequence"]

    def __str__(self) -> str:
        return f"{format_money(self.amount_minor, self.payment.currency)}: {self.reason}"

    @property
    def standing_minor(self) -> int:
        """What went back to the customer, or is on its way, in minor units."""
        return 0 if self.state == self.State.FAILED else self.amount_minor - self.failed_minor

    @property
    def standing_expert_minor(self) -> int:
        """The expert's part of that."""
        return 0 if self.state == self.State.FAILED else self.expert_minor - self.expert_failed_minor


class Dispute(models.Model):
    """A chargeback: the customer told the bank that a charge was wrong, and the bank took the money back for now."""

    class State(models.TextChoices):
        NEEDS_ANSWER = "needs_answer", "Needs an answer"
        UNDER_REVIEW = "under_review", "The bank is deciding"
        WON = "won", "Won"
        LOST = "lost", "Lost"
        INQUIRY = "inquiry", "Inquiry"  # the bank only asks; no money moved

    # The bank has not decided; it has; the customer has the money; it is for us to answer.
    OPEN = (State.NEEDS_ANSWER, State.UNDER_REVIEW)
    OVER = (State.WON, State.LOST)
    TAKEN = (*OPEN, State.LOST)
    WAITS_FOR_US = (State.NEEDS_ANSWER, State.INQUIRY)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="disputes")
    hold = models.ForeignKey(Hold, on_delete=models.PROTECT, related_name="disputes")
    gateway = models.CharField(max_length=10)
    gateway_ref = models.CharField(max_length=100)
    amount_minor = models.PositiveIntegerField("amount")
    expert_minor = models.PositiveIntegerField("the expert's part", default=0, help_text="The platform gives the rest.")
    reason = models.CharField(max_length=60)
    state = models.CharField(max_length=15, choices=State)
    answer_by = models.DateTimeField(null=True, blank=True, help_text="The bank decides without us after this.")
    opened_at = models.DateTimeField(default=timezone.now)
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["gateway", "gateway_ref"], name="dispute_once")]
        indexes: ClassVar = [models.Index(fields=["state", "answer_by"], name="dispute_by_state")]
        ordering: ClassVar = ["-opened_at"]

    def __str__(self) -> str:
        return f"{format_money(self.amount_minor, self.payment.currency)}: {self.payment.description}"
