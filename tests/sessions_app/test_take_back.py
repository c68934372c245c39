"""A request comes as a notification, and the notification goes when the request is taken."""

from datetime import timedelta

import pytest
from django.conf import settings as project
from django.urls import reverse
from django.utils import timezone

from accounts import outbox, push
from accounts.models import Message, Topic, User
from hopps.sending import NotTaken
from hopps.vapid import public_key
from sessions_app import accept
from sessions_app.models import HelpSession
from sessions_app.reach.healing import heal_reach
from sessions_app.reach.take_back import take_back, take_back_from
from sessions_app.reach.tell import tell
from tests.jobs import jobs_in_memory
from tests.peers.push_service import Browser, PushService, push_service
from tests.people import make_request, open_all_hours

__all__ = ["push_service"]

# Jobs close and open connections of their own.
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def browser(push_service: PushService) -> Browser:
    return push_service.browser(server_key=public_key(project.VAPID_PRIVATE_KEY))


def test_a_request_comes_as_a_notification_and_goes_when_it_is_taken(
    alice: User, eve: User, erin: User, topic: Topic, browser: Browser
) -> None:
    open_all_hours(eve)
    push.subscribe(user=eve, endpoint=browser.endpoint, **browser.keys)
    session = make_request(alice, topic)
    message = outbox.write(
        key=f"request:{session.pk}",
        to=eve,
        way=Message.Way.PUSH,
        purpose=Message.Purpose.REQUEST,
        reference=session.pk,
    )
    assert message is not None
    tell(message=message, now=timezone.now())
    shown = browser.next()
    assert shown.content["kind"] == "show"
    assert shown.content["tag"] == f"request-{session.pk}"
    assert shown.content["title"] == "Alice is stuck: Query is slow"
    assert shown.content["url"].endswith(reverse("session", args=[session.pk]))
    # While it is open, nothing is taken back.
    take_back_all(session)
    assert browser.nothing_came()
    accept.accept(session_id=session.pk, expert=erin)
    take_back_all(session)
    gone = browser.next()
    assert (gone.content["kind"], gone.content["tag"]) == ("close", shown.content["tag"])
    assert gone.headers["topic"] == shown.headers["topic"], "the push service would bring both to a phone that was off"


def test_taking_back_is_tried_again_where_a_push_service_is_in_trouble(
    alice: User, eve: User, erin: User, topic: Topic, browser: Browser
) -> None:
    push.subscribe(user=eve, endpoint=browser.endpoint, **browser.keys)
    session = make_request(alice, topic)
    accept.accept(session_id=session.pk, expert=erin)
    browser.answers = 500
    with pytest.raises(NotTaken):
        take_back_from(session.pk, eve)
    browser.answers = None
    take_back_from(session.pk, eve)
    assert browser.next().content["kind"] == "close"


@pytest.mark.parametrize("state", [Message.State.WAITING, Message.State.IN_DOUBT])
def test_what_may_be_showing_is_taken_back_though_nobody_knows_that_it_arrived(
    alice: User, eve: User, erin: User, topic: Topic, browser: Browser, state: Message.State
) -> None:
    open_all_hours(eve)
    push.subscribe(user=eve, endpoint=browser.endpoint, **browser.keys)
    session = make_request(alice, topic)
    message = outbox.write(key="1", to=eve, way=Message.Way.PUSH, purpose=Message.Purpose.REQUEST, reference=session.pk)
    assert message is not None
    # The push service's answer was lost: the message waits to be tried again, or is in doubt.
    Message.objects.filter(pk=message.pk).update(state=state, began_at=timezone.now())
    accept.accept(session_id=session.pk, expert=erin)
    message.refresh_from_db()
    tell(message=message, now=timezone.now())
    take_back_all(session)
    assert browser.next().content["kind"] == "close"


def test_a_notification_that_a_dying_process_was_sending_is_taken_back(
    alice: User, eve: User, erin: User, topic: Topic, browser: Browser
) -> None:
    push.subscribe(user=eve, endpoint=browser.endpoint, **browser.keys)
    session = make_request(alice, topic)
    message = outbox.write(key="1", to=eve, way=Message.Way.PUSH, purpose=Message.Purpose.REQUEST, reference=session.pk)
    assert message is not None
    Message.objects.filter(pk=message.pk).update(state=Message.State.SENDING, began_at=timezone.now())
    accept.accept(session_id=session.pk, expert=erin)
    with jobs_in_memory() as jobs:
        heal_reach(timezone.now() + timedelta(minutes=1))
        jobs.do_what_is_due()
    assert browser.next().content["kind"] == "close"


def take_back_all(session: HelpSession) -> None:
    """Take a request's notifications back, the jobs it sets included."""
    with jobs_in_memory() as jobs:
        take_back(session.pk)
        jobs.do_what_is_due()
