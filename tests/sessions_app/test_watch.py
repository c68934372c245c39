"""Being told when somebody is there: once, who waits longest first, and only when it is true."""

import socket
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.core.mail import EmailMessage
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from huey.contrib.djhuey import HUEY
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from accounts import applying, blocking, deciding, experts
from accounts.models import ExpertProfile, Topic, User
from sessions_app import cancel, watch
from sessions_app.models import Exclusion, HelpSession, State, Watch
from sessions_app.sweep import sweep
from tests.people import make_accepted, make_request

pytestmark = pytest.mark.django_db

Outbox = list[EmailMessage]


@pytest.fixture(autouse=True)
def jobs_at_once() -> Iterator[None]:
    """Jobs run where they are set, and leave nothing in the queue."""
    HUEY.immediate = True
    yield
    HUEY.immediate = False


@pytest.fixture
def minute(django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks) -> "Minute":
    return Minute(django_capture_on_commit_callbacks)


class Minute:
    """`minute()`: the sweep's part of a minute passes."""

    def __init__(self, committed: DjangoCaptureOnCommitCallbacks) -> None:
        self.committed = committed

    def __call__(self) -> None:
        with self.committed(execute=True):
            watch.tell_watchers(timezone.now())


def come(*people: User) -> None:
    """Have experts open their boards."""
    ExpertProfile.objects.filter(user__in=people).update(board_seen_at=timezone.now())


def watching(customer: User, topic: Topic) -> HelpSession:
    """Return a request `customer` left to be told later."""
    session = make_request(customer, topic)
    watch.tell_later(session=session, customer=customer)
    session.refresh_from_db()
    return session


def page_of(client: Client, session: HelpSession) -> str:
    client.force_login(session.customer)
    return client.get(session.get_absolute_url()).content.decode()


def test_nobody_is_mailed_before_an_expert_is_there(
    alice: User, eve: User, topic: Topic, minute: Minute, mailoutbox: Outbox
) -> None:
    watching(alice, topic)
    minute()
    assert mailoutbox == []


def test_the_page_says_which_question_ends_it(client: Client, alice: User, topic: Topic) -> None:
    assert "Asking again about Databases ends it." in page_of(client, watching(alice, topic))


def test_when_an_expert_comes_the_customer_is_mailed_once_with_the_way_to_ask_again(
    client: Client, alice: User, eve: User, topic: Topic, minute: Minute, mailoutbox: Outbox
) -> None:
    session = watching(alice, topic)
    come(eve)
    minute()
    minute()
    [mail] = mailoutbox
    assert mail.to == [alice.email]
    assert mail.subject == "An expert for Databases is there now: Query is slow"
    assert "Hello Alice," in mail.body
    assert f"/ask/?again={session.pk}" in mail.body
    assert "We mailed you that an expert" in page_of(client, session)
    assert client.get("/ask/", {"again": str(session.pk)}).context["form"]["title"].value() == "Query is slow"


def test_the_sweep_does_it_every_minute(
    alice: User,
    eve: User,
    topic: Topic,
    mailoutbox: Outbox,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    watching(alice, topic)
    come(eve)
    with django_capture_on_commit_callbacks(execute=True):
        sweep(now=timezone.now())
    assert len(mailoutbox) == 1


@pytest.mark.parametrize(
    "state",
    [
        "unavailable", "busy", "board closed", "of another topic", "left out", "herself", "blocked",
        "kept away by a block of their own",
    ],
)  # fmt: skip
def test_an_expert_who_could_not_come_is_nobody(
    state: str, alice: User, bob: User, eve: User, topic: Topic, minute: Minute, mailoutbox: Outbox
) -> None:
    session = watching(eve if state == "herself" else alice, topic)
    come(eve)
    match state:
        case "unavailable":
            experts.set_availability(user=eve, available=False)
        case "busy":
            make_accepted(bob, eve, topic)
        case "board closed":
            ExpertProfile.objects.update(board_seen_at=timezone.now() - timedelta(minutes=5))
        case "of another topic":
            seo = Topic.objects.create(area="marketing", name="SEO", slug="seo", price_per_minute=100)
            Watch.objects.update(topic=seo)
        case "left out":
            Exclusion.objects.create(session=session, expert=eve)
        case "blocked":
            blocking.block(by=alice, person=eve)
        case "kept away by a block of their own":
            blocking.block(by=eve, person=alice)
    minute()
    assert mailoutbox == []


def test_one_expert_is_announced_to_one_customer_a_minute_who_waits_longest_first(
    alice: User, bob: User, eve: User, topic: Topic, minute: Minute, mailoutbox: Outbox
) -> None:
    watching(bob, topic)
    watching(alice, topic)
    come(eve)
    minute()
    assert [mail.to for mail in mailoutbox] == [[bob.email]]
    minute()
    assert [mail.to for mail in mailoutbox] == [[bob.email], [alice.email]]


def test_two_experts_are_announced_to_two_customers(
    alice: User, bob: User, eve: User, erin: User, topic: Topic, minute: Minute, mailoutbox: Outbox
) -> None:
    watching(bob, topic)
    watching(alice, topic)
    come(eve, erin)
    minute()
    assert [mail.to for mail in mailoutbox] == [[bob.email], [alice.email]]


def test_an_expert_of_two_topics_is_announced_once_a_minute(
    alice: User, bob: User, eve: User, topic: Topic, minute: Minute, mailoutbox: Outbox
) -> None:
    seo = Topic.objects.create(area="marketing", name="SEO", slug="seo", price_per_minute=100)
    deciding.approve_all(expert=applying.save_application(user=eve, headline="h", about="", topics=[topic, seo]))
    watching(bob, topic)
    watching(alice, seo)
    come(eve)
    minute()
    assert [mail.to for mail in mailoutbox] == [[bob.email]]


def test_after_a_day_it_ends_without_a_mail_and_the_page_says_so(
    client: Client, alice: User, eve: User, topic: Topic, minute: Minute, mailoutbox: Outbox
) -> None:
    session = watching(alice, topic)
    Watch.objects.update(since=timezone.now() - timedelta(hours=25))
    come(eve)
    minute()
    assert mailoutbox == []
    assert Watch.objects.get().ended_at is not None
    assert "within 24 hours, so we stopped looking" in page_of(client, session)


def test_stop_telling_me_stops_it_and_can_be_undone(
    client: Client, alice: User, eve: User, topic: Topic, minute: Minute, mailoutbox: Outbox
) -> None:
    session = watching(alice, topic)
    assert "Stop telling me" in page_of(client, session)
    client.post(reverse("session_later_stop", args=[session.pk]))
    assert "You are not told any more." in page_of(client, session)
    come(eve)
    minute()
    assert mailoutbox == []
    client.post(reverse("session_later", args=[session.pk]))
    minute()
    assert len(mailoutbox) == 1


def test_asking_again_ends_it(alice: User, eve: User, topic: Topic, minute: Minute, mailoutbox: Outbox) -> None:
    watching(alice, topic)
    again = make_request(alice, topic)
    cancel.cancel(session_id=again.pk, customer=alice)
    come(eve)
    minute()
    assert mailoutbox == []


def test_who_is_asking_for_something_else_is_not_called_away(
    alice: User, eve: User, topic: Topic, minute: Minute, mailoutbox: Outbox
) -> None:
    watching(alice, topic)
    seo = Topic.objects.create(area="marketing", name="SEO", slug="seo", price_per_minute=100)
    other = make_request(alice, seo)
    come(eve)
    minute()
    assert mailoutbox == []
    cancel.cancel(session_id=other.pk, customer=alice)
    minute()
    assert len(mailoutbox) == 1


def test_nobody_is_called_back_to_a_topic_that_cannot_be_asked_for(
    alice: User, eve: User, topic: Topic, minute: Minute, mailoutbox: Outbox
) -> None:
    watching(alice, topic)
    come(eve)
    Topic.objects.update(is_active=False)
    minute()
    assert mailoutbox == []


def test_a_closed_account_is_not_mailed(alice: User, eve: User, topic: Topic, minute: Minute, mailoutbox: Outbox) -> None:
    watching(alice, topic)
    User.objects.filter(pk=alice.pk).update(is_active=False)
    come(eve)
    minute()
    assert mailoutbox == []


def test_one_watch_a_topic(alice: User, topic: Topic) -> None:
    first = make_request(alice, topic)
    cancel.expire(session=first)
    second = make_request(alice, topic)
    cancel.expire(session=second)
    for session in (first, second):
        session.refresh_from_db()
        watch.tell_later(session=session, customer=alice)
    assert [row.session for row in Watch.objects.filter(ended_at=None)] == [second]


def test_a_mail_server_that_takes_nothing_is_asked_again_the_next_minute(
    alice: User, eve: User, topic: Topic, minute: Minute, settings: Settings, mailoutbox: Outbox
) -> None:
    watching(alice, topic)
    come(eve)
    works = settings.EMAIL_BACKEND
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_USE_TLS = "127.0.0.1", taken.getsockname()[1], False
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        minute()
    settings.EMAIL_BACKEND = works
    assert mailoutbox == []
    minute()
    assert len(mailoutbox) == 1


def test_a_watch_written_just_before_a_crash_counts_once_the_request_is_closed(
    alice: User, eve: User, topic: Topic, minute: Minute, mailoutbox: Outbox
) -> None:
    session = make_request(alice, topic)
    Watch.objects.create(session=session, customer=alice, topic=topic)
    come(eve)
    for state in (State.REQUESTED, State.ENDED):
        HelpSession.objects.filter(pk=session.pk).update(state=state)
        minute()
    assert mailoutbox == []
    HelpSession.objects.filter(pk=session.pk).update(state=State.EXPIRED)
    minute()
    assert len(mailoutbox) == 1
