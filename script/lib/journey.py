"""A whole session by the rules alone, on the demo data: asked for, accepted, joined, ended, charged, rated, refunded.

Run by its path, in the folder of a release and with its code (`script/lib/old_release.py`): each release brings its own.
"""

import os
import sys
from datetime import timedelta
from uuid import uuid4

import django

sys.path.insert(0, os.getcwd())
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hopps.settings")
django.setup()

from django.apps import apps  # noqa: E402  Django must be set up first
from django.db.models import F  # noqa: E402
from django.utils import timezone  # noqa: E402

from accounts.models import Topic, User  # noqa: E402
from billing import cards  # noqa: E402
from billing.models import Payment  # noqa: E402
from billing.refund import refund  # noqa: E402
from sessions_app import accept, ask, chat, end, rate, room, settle  # noqa: E402
from sessions_app.models import Attendance, HelpSession, State  # noqa: E402

TALKED = timedelta(minutes=10)


def main() -> None:
    """Go through it. Raises whatever goes wrong."""
    customer = User.objects.get(email="customer@demo.test")
    expert = User.objects.get(email="expert@demo.test")
    topic = Topic.objects.get(slug="python")
    asked = ask.ask(
        customer=customer,
        topic=topic,
        title="Query is slow",
        details="It was fast.",
        cap_minutes=15,
        card=cards.default_card(customer),
    )
    assert isinstance(asked, ask.Live), asked
    session = accept.accept(session_id=asked.session.pk, expert=expert)
    stretches = [_come_in(session, person) for person in (customer, expert)]
    session.refresh_from_db()
    assert session.state == State.ACTIVE, session.state
    chat.say(session=session, author=customer, message_id=uuid4(), body="Here it is.")
    _let_time_pass(session)
    end.end(session=session, by=customer)
    for stretch in stretches:
        room.go(attendance_id=stretch.pk, at=timezone.now())
    settle.settle_when_empty(session.pk)
    payment = Payment.objects.get(reference=session.pk)
    assert payment.state == Payment.State.CHARGED, payment.state
    assert payment.charged_minor, payment
    session.refresh_from_db()
    rate.rate(session=session, customer=customer, stars=5, solved="yes", comment="Quick.")
    refund(payment=payment, amount_minor=1, reason="A cent for luck.", by=User.objects.get(email="operator@demo.test"))
    _read_everything()


def _come_in(session: HelpSession, person: User) -> Attendance:
    token, page = room.grant(session=session, person=person), uuid4()
    stretch = room.enter(session_id=session.pk, person=person, page=page, token=token, at=timezone.now())
    room.media_flows(attendance_id=stretch.pk, at=timezone.now())
    return stretch


def _let_time_pass(session: HelpSession) -> None:
    """Make it some minutes ago that they met."""
    HelpSession.objects.filter(pk=session.pk).update(active_at=F("active_at") - TALKED)
    Attendance.objects.filter(session=session).update(joined_at=F("joined_at") - TALKED, media_at=F("media_at") - TALKED)


def _read_everything() -> None:
    """Read every row of ours, also those another release wrote."""
    for label in ("accounts", "billing", "sessions_app"):
        for model in apps.get_app_config(label).get_models():
            for row in model._default_manager.all():
                str(row)


if __name__ == "__main__":
    main()
    print("The journey went through.")
