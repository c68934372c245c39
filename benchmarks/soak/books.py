"""`python -m benchmarks.soak.books`: every session with its money, as the database has it. Prints JSON (`record.Books`)."""

import django

django.setup()

from collections import defaultdict  # noqa: E402  Django must be set up first
from uuid import UUID  # noqa: E402

import msgspec  # noqa: E402
from huey.contrib.djhuey import HUEY  # noqa: E402

from benchmarks.soak.record import Bill, Books  # noqa: E402
from billing.models import DemoIntent, Hold, Payment, Posting  # noqa: E402
from sessions_app.models import Attendance, HelpSession  # noqa: E402

Amounts = tuple[int, int, int, int]


def read() -> Books:
    """Return the books as they stand."""
    payments = {payment.reference: payment for payment in Payment.objects.all()}
    intents = {str(intent.pk): intent for intent in DemoIntent.objects.all()}
    intents_of: defaultdict[UUID, list[DemoIntent]] = defaultdict(list)
    for hold in Hold.objects.exclude(gateway_ref=""):
        intents_of[hold.payment_id].append(intents[hold.gateway_ref])
    postings_of: defaultdict[UUID | None, list[Amounts]] = defaultdict(list)
    for posting in Posting.objects.order_by("posted_at"):
        postings_of[posting.payment_id].append((posting.customer, posting.expert, posting.platform, posting.processor))
    every = [amounts for some in postings_of.values() for amounts in some]
    return Books(
        bills=tuple(
            _bill(session, payment, intents_of[payment.pk], postings_of[payment.pk])
            for session in HelpSession.objects.order_by("created_at")
            if (payment := payments.get(session.pk)) is not None
        ),
        open_attendances=Attendance.objects.filter(left_at=None).count(),
        open_holds=Hold.objects.filter(state__in=[Hold.State.PENDING, Hold.State.PLACED, Hold.State.RELEASING]).count(),
        waiting_jobs=HUEY.pending_count(),
        ledger=(
            sum(amounts[0] for amounts in every),
            sum(amounts[1] for amounts in every),
            sum(amounts[2] for amounts in every),
            sum(amounts[3] for amounts in every),
        ),
    )


def _bill(session: HelpSession, payment: Payment, intents: list[DemoIntent], postings: list[Amounts]) -> Bill:
    held = DemoIntent.State.HELD
    return Bill(
        session=str(session.pk),
        state=session.state,
        customer=str(session.customer_id),
        expert=str(session.expert_id) if session.expert_id else None,
        accepted_at=session.accepted_at.timestamp() if session.accepted_at else None,
        billable_seconds=session.billable_seconds,
        amount=session.amount_minor,
        payment_state=payment.state,
        charged=payment.charged_minor,
        captured=sum(intent.captured_minor for intent in intents),
        still_held=sum(intent.amount_minor for intent in intents if intent.state == held),
        postings=tuple(postings),
    )


if __name__ == "__main__":
    print(msgspec.json.encode(read()).decode())
