"""An expert's statement: what each session was charged, and what of it is theirs. Read from the ledger."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet

from accounts.models import User
from billing.models import Dispute, Payment, Posting
from hopps.csv_files import safe

CSV_HEADER = (
    "Session", "Charged at (UTC)", "Title", "Currency", "Charged (minor units)", "Hopps' fee (minor units)",
    "Your share (minor units)", "Refunds (minor units)", "Disputes (minor units)", "Net (minor units)",
)  # fmt: skip


@dataclass
class Line:
    """One session on a statement. Minor units; what the expert gave back is below zero.

    Attributes:
        charged_minor: what the customer was charged; `fee_minor` of it is Hopps', `share_minor` the expert's.
        refunds_minor, disputes_minor: what the expert gave back of the share, and got again.
        ripe_at: from then on it may be paid out.
        disputed: the bank is looking at it.
    """

    payment: Payment
    charged_at: datetime
    charged_minor: int
    fee_minor: int
    share_minor: int
    refunds_minor: int = 0
    disputes_minor: int = 0
    disputed: bool = False

    @property
    def net_minor(self) -> int:
        """What is the expert's in the end."""
        return self.share_minor + self.refunds_minor + self.disputes_minor

    @property
    def ripe_at(self) -> datetime:
        """When a problem can no longer be reported."""
        return self.charged_at + timedelta(hours=settings.REPORT_HOURS)


def charges_of(expert: User) -> QuerySet[Posting]:
    """Return the charges `expert` has a share of, newest first."""
    charges = Posting.objects.filter(expert_user=expert, kind=Posting.Kind.CHARGE)
    return charges.select_related("payment").order_by("-posted_at", "-pk")


def lines_of(expert: User, charges: Iterable[Posting]) -> list[Line]:
    """Return the statement's lines for some of `expert`'s charges, in their order."""
    lines: dict[UUID, Line] = {}
    for charge in charges:
        assert charge.payment is not None
        lines[charge.payment.pk] = Line(charge.payment, charge.posted_at, -charge.customer, charge.platform, charge.expert)
    later = Posting.objects.filter(expert_user=expert, payment__in=list(lines)).exclude(kind=Posting.Kind.CHARGE)
    for posting in later.order_by():
        assert posting.payment_id is not None
        if posting.kind == Posting.Kind.REFUND:
            lines[posting.payment_id].refunds_minor += posting.expert
        else:
            lines[posting.payment_id].disputes_minor += posting.expert
    for payment_id in Dispute.objects.filter(payment__in=list(lines), state__in=Dispute.OPEN).values_list(
        "payment", flat=True
    ):
        lines[payment_id].disputed = True
    return list(lines.values())


def csv_rows(expert: User) -> Iterator[tuple[object, ...]]:
    """Yield the header and then one row a session, newest first."""
    yield CSV_HEADER
    charges = charges_of(expert).iterator(chunk_size=500)
    while some := list(islice(charges, 500)):
        for line in lines_of(expert, some):
            yield (
                line.payment.reference,
                line.charged_at.astimezone(UTC).isoformat(timespec="seconds"),
                safe(line.payment.description),
                line.payment.currency,
                line.charged_minor,
                line.fee_minor,
                line.share_minor,
                line.refunds_minor,
                line.disputes_minor,
                line.net_minor,
            )
