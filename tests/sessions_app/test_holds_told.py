"""What receipts and the evidence for a bank say was held, was held."""

import pytest

from accounts.models import Topic, User
from billing.evidence import as_text, evidence_for
from billing.models import Card, Payment
from sessions_app import accept, ask, end, extend, receipts
from sessions_app.models import HelpSession
from sessions_app.settle import settle
from tests.people import give_card, make_active

pytestmark = pytest.mark.django_db


def ask_for(customer: User, topic: Topic, card: Card) -> ask.AskOutcome:
    return ask.ask(customer=customer, topic=topic, title="Slow", details="", cap_minutes=30, card=card)


def told(session: HelpSession) -> tuple[tuple[str, ...], str]:
    """Return the receipt's notes, and the evidence as it is copied to a bank."""
    session.refresh_from_db()
    receipt = receipts.find(session)
    assert receipt is not None
    payment = Payment.objects.get(reference=session.pk)
    return receipt.notes, as_text(payment, evidence_for(payment))


def test_a_question_of_the_bank_that_was_never_answered_held_nothing(alice: User, eve: User, topic: Topic) -> None:
    assert isinstance(ask_for(alice, topic, give_card(alice, 2)), ask.BankAsks)
    live = ask_for(alice, topic, give_card(alice))
    assert isinstance(live, ask.Live)
    session = accept.accept(session_id=live.session.pk, expert=eve)
    HelpSession.objects.filter(pk=session.pk).update(state="ended", ended_at=session.accepted_at)
    session.refresh_from_db()
    settle(session)
    notes, evidence = told(session)
    assert [note for note in notes if "held" in note] == [
        "Visa ending 4242: $60.00 held, nothing charged, all of it released."
    ]
    assert "$60.00 on Mastercard ending 3155: asked for, and never held." in evidence
    assert "$60.00 on Visa ending 4242: held." in evidence


def test_the_evidence_gives_the_cap_as_it_was_when_they_asked(alice: User, eve: User, topic: Topic) -> None:
    session = make_active(alice, eve, topic, seconds=300, cap_minutes=30)
    extend.extend(session=session, customer=alice, minutes=15, card=give_card(alice), seen_cap_minutes=30)
    end.end(session=session, by=alice)
    session.refresh_from_db()
    settle(session)
    notes, evidence = told(session)
    assert "at most $60.00" in evidence
    assert "$90.00" not in evidence
    assert len([note for note in notes if "held" in note]) == 2
