"""What was really paid, and what of it is an expert's, for many payments in one query each."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db.models import QuerySet, Sum

from accounts.models import User
from billing.models import Payment, Posting

# A page's references; of many, a query for them.
References = Iterable[UUID] | QuerySet[Any, UUID]


def payments_for(references: References) -> dict[UUID, Payment]:
    """Return the payments of these references, by reference; one that was never held for is left out."""
    return {payment.reference: payment for payment in Payment.objects.filter(reference__in=references).order_by()}


def theirs_of(expert: User, references: References) -> dict[UUID, int]:
    """Return what is `expert`'s of each of these payments in the end, in minor units, by reference.

    Read from the ledger: the share of the charge, less the part of what went back. Nothing booked is left out.
    """
    booked = Posting.objects.filter(expert_user=expert, payment__reference__in=references).order_by()
    sums = booked.values("payment__reference").annotate(theirs=Sum("expert"))
    return {row["payment__reference"]: row["theirs"] for row in sums}
