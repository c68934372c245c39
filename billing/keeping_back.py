"""Earnings that wait while a problem with their payment is looked at."""

from uuid import UUID

from billing.models import Payment


def keep_back(reference: UUID) -> None:
    """Have the earnings of `reference`, what the payment is for, wait: they are paid out only once let through."""
    Payment.objects.filter(reference=reference, kept_back=False).update(kept_back=True)


def let_through(reference: UUID) -> None:
    """Let the earnings of `reference` be paid out again."""
    Payment.objects.filter(reference=reference, kept_back=True).update(kept_back=False)
