"""The people who recur in the tests, and help sessions in the states a test starts from.

Alice asks. Eve and Erin are experts for her topic, approved and available. Bob is another customer. Olga is an operator and
owns the site. Sam is an operator of the group Support, Mona of the group Manager, Nora of none.
"""

from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth.models import Group
from django.utils import timezone

from accounts import applying, deciding, experts
from accounts.consent import give_consent
from accounts.models import ExpertHours, Phone, Topic, User
from accounts.permissions import Team
from billing import cards
from billing.gateways.demo import TEST_CARDS
from billing.models import Card
from sessions_app import accept, ask
from sessions_app.models import Attendance, HelpSession, State

PASSWORD = "correct-horse-1"
APPROVED, DECLINED, AUTHENTICATE = TEST_CARDS


def make_person(email: str, name: str) -> User:
    """Return a person who can sign in."""
    user = User.objects.create_user(email, PASSWORD, display_name=name)
    EmailAddress.objects.create(user=user, email=email, verified=True, primary=True)
    return user


def make_expert(email: str, name: str, *topics: Topic) -> User:
    """Return an expert, approved for `topics` and available."""
    user = make_person(email, name)
    profile = applying.save_application(user=user, headline="Knows it", about="", topics=topics)
    deciding.approve_all(expert=profile)
    experts.set_availability(user=user, available=True)
    return user


def make_operator(email: str, name: str, *teams: Team) -> User:
    """Return an operator in these groups."""
    user = make_person(email, name)
    User.objects.filter(pk=user.pk).update(is_staff=True)
    user.groups.set(Group.objects.filter(name__in=teams))
    user.refresh_from_db()
    return user


def open_all_hours(user: User) -> None:
    """Let messages reach an expert at any time of the week."""
    for weekday in range(7):
        ExpertHours.objects.create(expert=user.expert, weekday=weekday, start_minute=0, end_minute=0)


def give_phone(user: User, number: str) -> Phone:
    """Return a verified phone of `user`, who agreed to texts at it."""
    phone = Phone.objects.create(user=user, number=number)
    give_consent(user=user, number=number, wording="Text me.")
    return phone


def give_card(user: User, kind: int = 0) -> Card:
    """Return a saved demo card: 0 approved, 1 declined, 2 needs authentication."""
    card = TEST_CARDS[kind]
    return cards.add(owner=user, gateway_ref=card.ref, brand=card.brand, last4=card.last4)


def make_request(customer: User, topic: Topic, *, cap_minutes: int = 30, title: str = "Query is slow") -> HelpSession:
    """Return a live request of `customer`, its hold placed."""
    card = cards.default_card(customer) or give_card(customer)
    outcome = ask.ask(
        customer=customer, topic=topic, title=title, details="It was fast.", cap_minutes=cap_minutes, card=card
    )
    assert isinstance(outcome, ask.Live)
    return outcome.session


def make_accepted(customer: User, expert: User, topic: Topic, *, cap_minutes: int = 30) -> HelpSession:
    """Return a request `expert` has accepted."""
    return accept.accept(session_id=make_request(customer, topic, cap_minutes=cap_minutes).pk, expert=expert)


def make_active(
    customer: User, expert: User, topic: Topic, *, seconds: float, cap_minutes: int = 30, media: bool = True
) -> HelpSession:
    """Return a running session in which both have been present for `seconds`, up to now. `media`: whether they connected."""
    session = make_accepted(customer, expert, topic, cap_minutes=cap_minutes)
    now = timezone.now()
    start = now - timedelta(seconds=seconds)
    HelpSession.objects.filter(pk=session.pk).update(state=State.ACTIVE, active_at=start)
    for person in (customer, expert):
        be_present(session, person, start, seen=now, media=media)
    session.refresh_from_db()
    return session


def be_present(
    session: HelpSession,
    person: User,
    start: datetime,
    *,
    seen: datetime | None = None,
    left: datetime | None = None,
    media: bool = True,
) -> Attendance:
    """Return a stretch of presence from `start`, last heard at `seen`, closed at `left` unless None.

    `media`: whether the page had the other's sound and picture.
    """
    return Attendance.objects.create(
        session=session,
        person=person,
        page=uuid4(),
        joined_at=start,
        last_seen_at=seen or left or start,
        left_at=left,
        media_at=start if media else None,
    )


@pytest.fixture
def topic(db: None) -> Topic:
    return Topic.objects.create(area="engineering", name="Databases", slug="databases", price_per_minute=200)


@pytest.fixture
def alice(db: None) -> User:
    return make_person("alice@example.org", "Alice")


@pytest.fixture
def bob(db: None) -> User:
    return make_person("bob@example.org", "Bob")


@pytest.fixture
def eve(topic: Topic) -> User:
    return make_expert("eve@example.org", "Eve", topic)


@pytest.fixture
def erin(topic: Topic) -> User:
    return make_expert("erin@example.org", "Erin", topic)


@pytest.fixture
def olga(db: None) -> User:
    olga = make_person("olga@example.org", "Olga")
    User.objects.filter(pk=olga.pk).update(is_staff=True, is_superuser=True)
    olga.refresh_from_db()
    return olga


@pytest.fixture
def sam(db: None) -> User:
    return make_operator("sam@example.org", "Sam", Team.SUPPORT)


@pytest.fixture
def mona(db: None) -> User:
    return make_operator("mona@example.org", "Mona", Team.MANAGER)


@pytest.fixture
def nora(db: None) -> User:
    return make_operator("nora@example.org", "Nora")
