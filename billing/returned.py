"""What of a charge went back to the customer, by refund or by dispute, and whose part it was."""

from collections.abc import Iterable
from dataclasses import dataclass

from billing.models import Dispute, Payment, Posting, Refund


@dataclass(frozen=True)
class Returned:
    """What went back, or is on its way, in minor units."""

    refunded_minor: int
    disputed_minor: int
    expert_minor: int
    """The expert's part of both."""

    @property
    def total_minor(self) -> int:
        """Both together."""
        return self.refunded_minor + self.disputed_minor


def returned_of(payment: Payment, *, asked: bool = False) -> Returned:
    """Return what of a payment went back, by the rows of its refunds and disputes.

    Args:
        asked: leave out refunds that are written down and of which the processor has not heard yet.
    """
    refunds = Refund.objects.filter(payment=payment)
    if asked:
        refunds = refunds.exclude(state=Refund.State.PENDING, revision=0)
    return returned_by(refunds, Dispute.objects.filter(payment=payment))


def returned_by(refunds: Iterable[Refund], disputes: Iterable[Dispute]) -> Returned:
    """Return the same, where the rows of one payment's refunds and disputes are read already."""
    standing = list(refunds)
    disputed = [row for row in disputes if row.state in Dispute.TAKEN]
    return Returned(
        refunded_minor=sum(made.standing_minor for made in standing),
        disputed_minor=sum(row.amount_minor for row in disputed),
        expert_minor=sum(made.standing_expert_minor for made in standing) + sum(row.expert_minor for row in disputed),
    )


def expert_part(payment: Payment, returned: Returned, amount_minor: int) -> int:
    """Return what the expert gives of a further `amount_minor`, in proportion to the charge.

    Counted on the sum of all that went back, rounded down, less what was taken before: a full refund takes exactly the
    share, and nothing is lost to rounding. Never more than the expert still has; the platform gives the rest, also where
    a refund and a dispute together exceed the charge.
    """
    charge = Posting.objects.get(key=f"charge:{payment.pk}")
    back = min(returned.total_minor + amount_minor, payment.charged_minor)
    part = charge.expert * back // payment.charged_minor - returned.expert_minor
    # What failed in between can leave the sum one off; neither side ever gives more than it got.
    platform_left = charge.platform - (returned.total_minor - returned.expert_minor)
    part = max(part, amount_minor - platform_left, 0)
    return min(part, charge.expert - returned.expert_minor, amount_minor)


def recount(payment: Payment) -> None:
    """Bring the payment's refunded and disputed sums in line with the rows, and the given object with them."""
    while True:
        payment.refresh_from_db(fields=["charged_minor", "refunded_minor", "disputed_minor"])
        returned = returned_of(payment)
        # A refund made at the processor may overtake one of ours that it then refuses: for a moment both stand.
        sums = (min(returned.refunded_minor, payment.charged_minor), returned.disputed_minor)
        if sums == (payment.refunded_minor, payment.disputed_minor):
            return
        # Only over the figures we read: somebody else's newer sums are looked at again.
        Payment.objects.filter(
            pk=payment.pk, refunded_minor=payment.refunded_minor, disputed_minor=payment.disputed_minor
        ).update(refunded_minor=sums[0], disputed_minor=sums[1])
