"""The ledger: every movement of money, each written once."""

import uuid
from typing import Any, ClassVar, NoReturn

from django.conf import settings
from django.db import models
from django.utils import timezone

from billing.models.payments import Payment


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
        DISPUTE = "dispute", "Dispute"
        PAYOUT = "payout", "Payout"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    key = models.CharField(max_length=120, unique=True)
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
