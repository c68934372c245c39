"""What the fuzzing goes on in: Alice and Eve in a call that is private, Bob and Erin in another, and what belongs to whom.

Everything private of Alice's and Eve's carries a mark, so that it is recognised wherever it turns up.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from io import BytesIO
from uuid import UUID, uuid4

from django.contrib.admin.models import LogEntry
from django.db.models import Model

from accounts import blocking
from accounts.models import ExpertHours, ExpertProfile, ExpertTopic, Phone, Topic, User
from billing.models import Card, Hold, Payment, Payout, PayoutAccount, Posting, Refund
from billing.payout_accounts import open_account
from sessions_app import cases, chat, files, notes
from sessions_app.models import Attendance, Case, ChatFile, ChatMessage, HelpSession, Rating, SharedNotes, TimelineEntry
from tests.people import give_card, give_phone, make_active, make_expert, make_person, make_request

# Private words of the call between Alice and Eve, and how the two are reached.
MARKS = ("MARKED-TITLE", "MARKED-LINE", "MARKED-FILE", "MARKED-NOTE", "MARKED-CASE", "alice@example.org", "+436641111111")

Rows = dict[tuple[str, object], tuple[object, ...]]

# What nobody but its people may change: compared before and after an outsider's request.
_KEPT: tuple[type[Model], ...] = (
    User, Phone, ExpertProfile, ExpertTopic, ExpertHours, HelpSession, Attendance, ChatMessage, ChatFile, SharedNotes, Case,
    Rating, TimelineEntry, Card, Hold, Payment, Payout, PayoutAccount, Posting, Refund, LogEntry,
)  # fmt: skip


@dataclass
class Scene:
    """People by name, and the values each part of an address may take."""

    people: dict[str, User]
    private: HelpSession
    other: HelpSession
    ids: dict[str, list[object]] = field(default_factory=dict)
    """By the name of an address's part, such as `session_id`."""

    def rows_of_others(self, poster: str) -> Rows:
        """Return the rows that `poster` has no business with: all there are, but their own person's."""
        me = self.people[poster].pk if poster in self.people else None
        rows = (row for model in _KEPT for row in model._default_manager.all())
        return _as_they_stand(row for row in rows if me not in _people_of(row))

    def rows_of(self, session: HelpSession) -> Rows:
        """Return the rows of one session."""
        of_it = (Attendance, ChatMessage, ChatFile, SharedNotes, Case, TimelineEntry)
        rows = [row for model in of_it for row in model._default_manager.filter(session=session)]
        return _as_they_stand([*HelpSession.objects.filter(pk=session.pk), *rows])


def _as_they_stand(rows: Iterable[Model]) -> Rows:
    # A visit leaves its moment on the person who came.
    return {
        (row._meta.label, row.pk): tuple(
            getattr(row, one.attname) for one in row._meta.concrete_fields if one.attname != "last_login"
        )
        for row in rows
    }


def _people_of(row: Model) -> set[object]:
    """Return whose row it is."""
    names = ("owner_id", "user_id", "customer_id", "payer_id", "author_id", "person_id", "by_id", "expert_user_id")
    whose = {getattr(row, name) for name in names if hasattr(row, name)}
    if isinstance(row, User):
        whose.add(row.pk)
    if isinstance(row, ExpertTopic | ExpertHours):
        whose.add(row.expert.user_id)
    return whose


def set_the_scene() -> Scene:
    """Make it in the database."""
    topic = Topic.objects.create(area="engineering", name="Databases", slug="databases", price_per_minute=200)
    alice, bob = make_person("alice@example.org", "Alice"), make_person("bob@example.org", "Bob")
    carol, vera = make_person("carol@example.org", "Carol"), make_person("vera@example.org", "Vera")
    eve, erin = make_expert("eve@example.org", "Eve", topic), make_expert("erin@example.org", "Erin", topic)
    olga = make_person("olga@example.org", "Olga")
    User.objects.filter(pk=olga.pk).update(is_staff=True, is_superuser=True)
    olga.refresh_from_db()
    give_phone(eve, "+436641111111")
    for weekday in range(7):
        ExpertHours.objects.create(expert=eve.expert, weekday=weekday, start_minute=0, end_minute=0)
    private = make_active(alice, eve, topic, seconds=200)
    HelpSession.objects.filter(pk=private.pk).update(title="MARKED-TITLE", details="MARKED-TITLE")
    line, file = uuid4(), uuid4()
    chat.say(session=private, author=alice, message_id=line, body="MARKED-LINE")
    files.attach(session=private, author=alice, message_id=file, name="MARKED-FILE.txt", content=BytesIO(b"MARKED-FILE"))
    notes.edit(session=private, author=eve, edit_id=uuid4(), base=0, steps=["MARKED-NOTE"])
    case = cases.report(session=private, by=alice, problem="MARKED-CASE")
    other = make_active(carol, erin, topic, seconds=100)
    waiting = make_request(vera, topic)
    cards = [give_card(alice), give_card(bob), give_card(carol)]
    payments = Payment.objects.all()
    people = {"alice": alice, "bob": bob, "carol": carol, "eve": eve, "erin": erin, "olga": olga}
    nobody = uuid4()
    return Scene(
        people=people,
        private=private,
        other=other,
        ids={
            "session_id": [private.pk, other.pk, waiting.pk, nobody],
            "file_id": [file, nobody],
            "pk": [
                *(card.pk for card in cards),
                *Hold.objects.values_list("pk", flat=True),
                UUID(str(open_account(owner=eve).gateway_ref)),
                nobody,
            ],
            "payment_id": [*payments.values_list("pk", flat=True), nobody],
            "way": ["mail", "text", "push", "pigeon"],
            "case": [case.pk],
            "app_label": ["billing", "none"],
            "content_type_id": [1, 999],
            "person_id": [alice.pk, eve.pk, bob.pk, nobody],
            "user_id": [alice.pk, eve.pk, bob.pk, nobody],
            "block_id": [blocking.block(by=alice, person=erin).pk, nobody],
        },
    )
