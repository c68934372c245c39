"""The link in a text: ready to accept after signing in, and honest to whoever comes too late."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts import deciding, experts, outbox
from accounts.models import ExpertProfile, Message, Topic, User
from sessions_app import accept, cancel
from sessions_app.models import Exclusion, HelpSession, State
from tests.people import PASSWORD, make_accepted, make_expert, make_request

pytestmark = pytest.mark.django_db


def follow(client: Client, session: HelpSession, person: User) -> tuple[int, str]:
    client.force_login(person)
    answer = client.get(session.get_absolute_url())
    return answer.status_code, answer.content.decode()


def tell(session: HelpSession, expert: User) -> None:
    """Have `expert` been told of the request."""
    message = outbox.write(
        key=f"{session.pk}:{expert.pk}", to=expert, way=Message.Way.TEXT, purpose=Message.Purpose.REQUEST,
        reference=session.pk,
    )  # fmt: skip
    assert message is not None
    Message.objects.filter(pk=message.pk).update(state=Message.State.SENT, sent_at=timezone.now())


def test_it_leads_through_sign_in_to_the_request_ready_to_accept(
    client: Client, alice: User, eve: User, topic: Topic
) -> None:
    session = make_request(alice, topic)
    sign_in = client.get(session.get_absolute_url())["Location"]
    landed = client.post(sign_in, {"login": eve.email, "password": PASSWORD}, follow=True)
    assert landed.redirect_chain == [(session.get_absolute_url(), 302)]
    assert "data-accept" in landed.content.decode()
    client.post(f"{session.get_absolute_url()}accept/")
    session.refresh_from_db()
    assert (session.state, session.expert) == (State.ACCEPTED, eve)


def test_who_is_not_available_or_wants_quiet_may_still_accept_by_the_link(
    client: Client, alice: User, eve: User, topic: Topic
) -> None:
    session = make_request(alice, topic)
    experts.set_availability(user=eve, available=False)
    ExpertProfile.objects.update(quiet_until=timezone.now() + timedelta(hours=1))
    status, page = follow(client, session, eve)
    assert status == 200
    assert "data-accept" in page
    accept.accept(session_id=session.pk, expert=eve)


def test_it_says_that_another_expert_took_it_and_nothing_more(
    client: Client, alice: User, eve: User, erin: User, topic: Topic
) -> None:
    session = make_accepted(alice, eve, topic)
    HelpSession.objects.update(accepted_at=timezone.now() - timedelta(minutes=3))
    status, page = follow(client, session, erin)
    assert status == 410
    assert "Another expert took this one 3\xa0minutes ago." in page
    assert 'href="/expert/"' in page
    for secret in ("Alice", "Eve", "Query is slow", "It was fast."):
        assert secret not in page


def test_it_says_so_after_the_session_too(client: Client, alice: User, eve: User, erin: User, topic: Topic) -> None:
    session = make_accepted(alice, eve, topic)
    HelpSession.objects.update(state=State.ENDED, ended_at=timezone.now())
    assert "Another expert took this one" in follow(client, session, erin)[1]


def test_it_says_that_the_request_was_cancelled(client: Client, alice: User, eve: User, topic: Topic) -> None:
    session = make_request(alice, topic)
    cancel.cancel(session_id=session.pk, customer=alice)
    status, page = follow(client, session, eve)
    assert (status, "This request was cancelled" in page) == (410, True)


def test_it_says_that_the_request_expired(client: Client, alice: User, eve: User, topic: Topic) -> None:
    session = make_request(alice, topic)
    cancel.expire(session=session)
    status, page = follow(client, session, eve)
    assert (status, "Nobody accepted this request in time" in page) == (410, True)


def test_who_was_told_and_gave_it_back_is_told_so(client: Client, alice: User, eve: User, topic: Topic) -> None:
    session = make_request(alice, topic)
    tell(session, eve)
    Exclusion.objects.create(session=session, expert=eve)
    status, page = follow(client, session, eve)
    assert (status, "You left this one to the other experts." in page) == (410, True)


def test_who_was_told_is_told_though_the_topic_is_no_longer_theirs(
    client: Client, alice: User, eve: User, topic: Topic
) -> None:
    session = make_request(alice, topic)
    tell(session, eve)
    deciding.suspend(expert=eve.expert)
    assert follow(client, session, eve)[0] == 410


def test_for_strangers_there_is_nothing_there(client: Client, alice: User, bob: User, eve: User, topic: Topic) -> None:
    seo = Topic.objects.create(area="marketing", name="SEO", slug="seo", price_per_minute=100)
    frank = make_expert("frank@example.org", "Frank", seo)
    session = make_accepted(alice, eve, topic)
    for person in (bob, frank):
        assert follow(client, session, person)[0] == 404


def test_what_was_never_sent_was_never_there(client: Client, alice: User, eve: User, topic: Topic) -> None:
    draft = HelpSession.objects.create(
        customer=alice, topic=topic, title="t", currency="USD", price_per_minute=200, cap_minutes=15, state=State.CANCELLED
    )
    assert follow(client, draft, eve)[0] == 404
