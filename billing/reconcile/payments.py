"""Payments: charged where that was decided, and in the ledger as in the rows."""

from collections.abc import Iterator

from django.db.models import QuerySet

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
    rows = rows.prefetch_related("postings", "holds", "refunds", "disputes")
    for payment in by_page(rows):
        yield from run.apart(f"Payment {payment.pk}", _compare(run, rows, payment))


def _compare(run: Run, rows: QuerySet[Payment], payment: Payment) -> Iterator[Difference]:
    if not any(_disagreements(payment)):
        return
    # Once more, and now: something may have gone back while these rows were read.
    payment = rows.get(pk=payment.pk)
    going_back = [made.created_at for made in payment.refunds.all()] + [row.opened_at for row in payment.disputes.all()]
    if any(begun >= run.settled_before for begun in going_back):
        return
    sums, ledger, captures = _disagreements(payment)
    if sums:
        yield run.differs(f"Payment {payment.pk}: {sums}.", lambda: recount(payment))
    for what in (ledger, captures):
        if what:
            yield run.differs(f"Payment {payment.pk}: {what} (minor units).")


def _disagreements(payment: Payment) -> tuple[str, str, str]:
    """Return what is wrong with the sums, the ledger, and what was captured; empty words where nothing is."""
    returned = returned_by(payment.refunds.all(), payment.disputes.all())
    sums = (min(returned.refunded_minor, payment.charged_minor), returned.disputed_minor)
    kept = payment.charged_minor - returned.total_minor
    booked = -sum(posting.customer for posting in payment.postings.all())
    captured = sum(hold.captured_minor for hold in payment.holds.all())
    as_charged = payment.state != Payment.State.CHARGED or captured == payment.charged_minor
    return (
        "" if sums == (payment.refunded_minor, payment.disputed_minor) else "its sums of what went back are not its rows'",
        "" if booked == kept else f"the ledger says {booked}, its rows say {kept}",
        "" if as_charged else f"{captured} was captured and {payment.charged_minor} charged",
    )
