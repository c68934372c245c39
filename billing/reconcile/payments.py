"""Payments: charged where that was decided, and in the ledger as in the rows."""

from collections.abc import Iterator

from billing import capture
from billing.models import Payment
from billing.reconcile.run import Difference, Run, by_page
from billing.returned import recount, returned_by


def compare_charges(run: Run) -> Iterator[Difference]:
    """Payments that were decided and never charged, though nothing is in the way."""
    stuck = Payment.objects.filter(state=Payment.State.CAPTURING, closed_at__lt=run.settled_before)
    for payment in by_page(stuck.filter(holds__gateway=run.processor.name).distinct()):
        yield _charge(run, payment)


def _charge(run: Run, payment: Payment) -> Difference:
    return run.differs(
        f"Payment {payment.pk} is still being charged.",
        lambda: capture.carry_out(payment).state != Payment.State.CAPTURING,
    )


def compare_ledger(run: Run) -> Iterator[Difference]:
    """Payments of the time: what the ledger says is what the rows say."""
    decided = Payment.objects.filter(closed_at__gte=run.since, closed_at__lt=run.settled_before)
    rows = decided.filter(holds__gateway=run.processor.name).distinct()
    for payment in by_page(rows.prefetch_related("postings", "holds", "refunds", "disputes")):
        yield from run.apart(f"Payment {payment.pk}", _compare(run, payment))


def _compare(run: Run, payment: Payment) -> Iterator[Difference]:
    returned = returned_by(payment.refunds.all(), payment.disputes.all())
    sums = (min(returned.refunded_minor, payment.charged_minor), returned.disputed_minor)
    if (payment.refunded_minor, payment.disputed_minor) != sums:
        yield run.differs(
            f"Payment {payment.pk}: its sums of what went back are not those of its rows.", lambda: recount(payment)
        )
    booked = -sum(posting.customer for posting in payment.postings.all())
    if booked != payment.charged_minor - returned.total_minor:
        yield run.differs(f"Payment {payment.pk}: the ledger says {booked}, its rows say otherwise (minor units).")
    captured = sum(hold.captured_minor for hold in payment.holds.all())
    if payment.state == Payment.State.CHARGED and captured != payment.charged_minor:
        yield run.differs(
            f"Payment {payment.pk}: {captured} was captured and {payment.charged_minor} charged (minor units)."
        )
