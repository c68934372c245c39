"""A site with some of everything, made by the journeys themselves: for `manage.py shell`."""

import io
from datetime import timedelta
from uuid import uuid4

from django.conf import settings
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.utils import timezone

from accounts.models import Topic, User
from billing.models import GatewayEvent, Payment
from billing.refund import refund
from sessions_app import cases, chat, end, files, notes, rate
from sessions_app.models import HelpSession
from sessions_app.settle import settle
from tests.people import PASSWORD, give_phone, make_active, make_expert, make_person, make_request

# Bytes that are a picture by their beginning.
PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40
# What JSON can hold, and databases write differently.
PAYLOAD = {"b": 1.0, "a": [1, 2.5, None, True, {"z": "ü", "y": ""}], "large": 2**53, "nested": {"": 0, "ключ": [[]]}}
WORDS = 'A "quoted" line,\n\ttwo lines – naïve ☎ 🦉 \u202e with a long tail'


def main() -> None:
    """Make people who ask, help, pay, write and refund; and the rows that only operators make."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    topic = Topic.objects.create(area="engineering", name="Databases", slug="databases", price_per_minute=200)
    euros = Topic.objects.create(area="marketing", name="Wörter", slug="woerter", price_per_minute=150)
    _sessions(topic, euros)
    _operators_rows()


def _sessions(*topics: Topic) -> None:
    customers = [make_person(f"customer{number}@example.org", f"Customer {number} 🦉") for number in range(3)]
    experts = [make_expert(f"expert{number}@example.org", "Eve", *topics) for number in range(2)]
    give_phone(experts[0], "+436641234567")
    for number, customer in enumerate(customers):
        for topic in topics:
            session = make_active(customer, experts[number % 2], topic, seconds=300 + 60 * number)
            chat.say(session=session, author=customer, message_id=uuid4(), body=WORDS)
            notes.edit(session=session, author=customer, edit_id=uuid4(), base=0, steps=[f"Notes {number} 🦉\n"])
            files.attach(session=session, author=customer, message_id=uuid4(), name="ü.png", content=io.BytesIO(PICTURE))
            end.end(session=session, by=customer)
            settle(HelpSession.objects.get(pk=session.pk))
            rate.rate(session=HelpSession.objects.get(pk=session.pk), customer=customer, stars=5, solved="yes", comment="")
    paid = HelpSession.objects.filter(customer=customers[0]).earliest("created_at")
    payment = Payment.objects.get(reference=paid.pk)
    refund(payment=payment, amount_minor=payment.charged_minor // 3, reason="Cut off", by=None)
    cases.report(session=paid, by=customers[0], problem="Cut off in the middle.")
    make_request(customers[1], topics[0])


def _operators_rows() -> None:
    """Rows whose keys are numbers, with gaps, and those between two tables."""
    operator = User.objects.create_user("olga@example.org", PASSWORD, display_name="Olga")
    # Another release migrated in another order: the numbers of these are others than a new database has.
    kept = list(ContentType.objects.order_by("-pk").values_list("pk", "app_label", "model"))
    Permission.objects.all().delete()
    for key, app_label, model in kept:
        ContentType.objects.filter(pk=key).delete()
        ContentType.objects.create(pk=key + 500, app_label=app_label, model=model)
    ContentType.objects.clear_cache()
    of_users = ContentType.objects.get_for_model(User)
    permissions = [
        Permission.objects.create(pk=900 + number, codename=f"may_{number}", name=f"May {number}", content_type=of_users)
        for number in range(3)
    ]
    Group.objects.create(pk=5, name="Nobody").delete()
    group = Group.objects.create(pk=7, name="Bookkeeping")
    group.permissions.set(permissions[:2])
    operator.groups.add(group)
    operator.user_permissions.add(permissions[2])
    for number in range(3):
        LogEntry.objects.create(
            user=operator, content_type=of_users, object_id=str(operator.pk), object_repr=f"{number}", action_flag=CHANGE
        )
    # Keys of text, in the order of no language.
    for text in ("zz", "Za", "a-b", "aB", "_x", "é", "10", "9"):
        Session.objects.create(session_key=text, session_data="…", expire_date=timezone.now() + timedelta(days=1))
    GatewayEvent.objects.create(gateway="stripe", event_id="evt_1", type="charge.succeeded", subject="hold", payload=PAYLOAD)
    # Finer than MongoDB keeps.
    User.objects.filter(pk=operator.pk).update(date_joined=timezone.now().replace(microsecond=123_456))
