"""Nobody there: what the waiting customer is told, and the choice to go on, hear later or leave."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import experts, outbox
from accounts.models import ExpertProfile, Message, Topic, User
from billing.models import Hold
from hopps.errors import Refused
from sessions_app import accept, cancel, wait, watch
from sessions_app.models import HelpSession, State, Watch
from sessions_app.reach.waves import run_wave
from sessions_app.timeouts import enforce
from tests.people import give_phone, make_accepted, make_request, open_all_hours

pytestmark = pytest.mark.django_db

JSON = {"headers": {"accept": "application/json"}}


def wait_for(session: HelpSession, **ago: float) -> None:
    """Have the customer be waiting since so long ago."""
    since = timezone.now() - timedelta(**ago)
    HelpSession.objects.filter(pk=session.pk).update(requested_at=since, queued_at=since)
    session.refresh_from_db()


def page_of(client: Client, session: HelpSession) -> str:
    client.force_login(session.customer)
    return client.get(session.get_absolute_url()).content.decode()


def offers_the_choice(page: str) -> bool:
    section = page[page.index("data-choice") :]
    return "hidden" not in section[: section.index(">")]


def text(session: HelpSession, expert: User, *, minutes_ago: int) -> None:
    """Have `expert` been texted about the request."""
    message = outbox.write(
        key=f"{session.pk}:{expert.pk}", to=expert, way=Message.Way.TEXT, purpose=Message.Purpose.REQUEST,
        reference=session.pk,
    )  # fmt: skip
    assert message is not None
    sent_at = timezone.now() - timedelta(minutes=minutes_ago)
    Message.objects.filter(pk=message.pk).update(state=Message.State.SENT, sent_at=sent_at)


# --- what it says ---


def test_it_says_how_many_boards_chime(client: Client, alice: User, eve: User, erin: User, topic: Topic) -> None:
    ExpertProfile.objects.update(board_seen_at=timezone.now())
    page = page_of(client, make_request(alice, topic))
    assert "2 experts alerted" in page
    assert "It chimes on 2 open boards." in page


def test_it_says_how_many_were_texted_and_when(client: Client, alice: User, eve: User, erin: User, topic: Topic) -> None:
    session = make_request(alice, topic)
    text(session, eve, minutes_ago=3)
    assert "1 expert was texted 3 minutes ago." in page_of(client, session)
    text(session, erin, minutes_ago=1)
    assert "2 experts were texted, the last a minute ago." in page_of(client, session)


def test_it_does_not_count_what_was_not_sent(client: Client, alice: User, eve: User, topic: Topic) -> None:
    session = make_request(alice, topic)
    text(session, eve, minutes_ago=1)
    Message.objects.update(state=Message.State.REFUSED)
    assert wait.happening(session, timezone.now()).told == ""
    page = page_of(client, session)
    assert "texted" not in page
    assert "No expert for Databases has the board open this minute." in page


def test_a_wave_that_told_somebody_is_on_the_timeline_and_an_empty_one_is_not(alice: User, eve: User, topic: Topic) -> None:
    session = make_request(alice, topic)
    run_wave(session_id=session.pk, now=timezone.now())
    assert not session.timeline.filter(kind="told").exists()
    open_all_hours(eve)
    give_phone(eve, "+436641234567")
    run_wave(session_id=session.pk, now=timezone.now() + timedelta(minutes=1))
    assert session.timeline.get(kind="told").note == "1 by text message"


def test_before_asking_the_page_names_the_topics_nobody_is_on_for(
    client: Client, alice: User, bob: User, eve: User, topic: Topic
) -> None:
    seo = Topic.objects.create(area="marketing", name="SEO", slug="seo", price_per_minute=100)
    client.force_login(alice)
    assert client.get("/ask/").context["named_quiet"] == [topic, seo]
    ExpertProfile.objects.update(board_seen_at=timezone.now())
    page = client.get("/ask/")
    assert page.context["named_quiet"] == [seo]
    assert "told by text" in page.content.decode()
    client.force_login(eve)
    assert topic in client.get("/ask/").context["named_quiet"], "she cannot help herself"
    make_accepted(bob, eve, topic)
    client.force_login(alice)
    assert topic in client.get("/ask/").context["named_quiet"], "she is busy"


# --- the choice ---


def test_after_three_minutes_there_is_a_choice(client: Client, alice: User, topic: Topic) -> None:
    session = make_request(alice, topic)
    wait_for(session, seconds=170)
    page = page_of(client, session)
    assert not offers_the_choice(page)
    assert session.queued_at is not None
    due = session.queued_at + timedelta(minutes=3)
    assert wait.happening(session, timezone.now()).changes_at == due, "the page comes back by itself"
    wait_for(session, seconds=181)
    page = page_of(client, session)
    assert offers_the_choice(page)
    assert "Nobody has answered in 3 minutes." in page
    assert "your request stands for another 10 minutes: whoever comes sees it" in page
    assert "Your request stands for another" not in page, "nothing was chosen yet"


def test_who_keeps_waiting_has_as_long_again_and_is_asked_again(client: Client, alice: User, topic: Topic) -> None:
    session = make_request(alice, topic)
    wait_for(session, minutes=9)
    client.force_login(alice)
    client.post(reverse("session_wait", args=[session.pk]))
    session.refresh_from_db()
    assert session.expires_at is not None
    assert session.expires_at > timezone.now() + timedelta(minutes=9)
    page = page_of(client, session)
    assert not offers_the_choice(page)
    assert "Your request stands for another 10 minutes." in page
    now = timezone.now()
    assert not wait.happening(session, now + timedelta(seconds=61)).just_kept, "later it is less"
    assert wait.happening(session, now + timedelta(seconds=181)).nobody_came
    enforce(session_id=session.pk, now=now + timedelta(minutes=2))
    session.refresh_from_db()
    assert session.state == State.REQUESTED
    assert session.next_wave_at is not None, "the waves go on"
    enforce(session_id=session.pk, now=now + timedelta(minutes=11))
    session.refresh_from_db()
    assert session.state == State.EXPIRED


def test_pressed_twice_or_before_its_time_it_happens_once(alice: User, topic: Topic) -> None:
    session = make_request(alice, topic)
    wait.keep_waiting(session_id=session.pk, customer=alice)
    assert not session.timeline.filter(kind="waited").exists()
    wait_for(session, minutes=4)
    wait.keep_waiting(session_id=session.pk, customer=alice)
    wait.keep_waiting(session_id=session.pk, customer=alice)
    assert session.timeline.filter(kind="waited").count() == 1


def test_a_request_does_not_expire_under_the_hands_of_who_just_chose_to_wait(alice: User, topic: Topic) -> None:
    session = make_request(alice, topic)
    wait_for(session, minutes=10)
    wait.keep_waiting(session_id=session.pk, customer=alice)
    assert not cancel.expire(session=session), "the job had read it before she chose"
    session.refresh_from_db()
    assert session.state == State.REQUESTED


def test_keeping_to_wait_when_it_is_over_is_refused_in_a_sentence(client: Client, alice: User, topic: Topic) -> None:
    session = make_request(alice, topic)
    cancel.cancel(session_id=session.pk, customer=alice)
    client.force_login(alice)
    answer = client.post(reverse("session_wait", args=[session.pk]), **JSON)  # type: ignore[arg-type]
    assert answer.status_code == 409
    assert "over" in answer.json()["error"]


def test_keeping_to_wait_when_an_expert_has_just_accepted_is_no_mistake(
    client: Client, alice: User, eve: User, topic: Topic
) -> None:
    session = make_accepted(alice, eve, topic)
    client.force_login(alice)
    answer = client.post(reverse("session_wait", args=[session.pk]), **JSON)  # type: ignore[arg-type]
    assert answer.status_code == 200


def test_who_leaves_to_be_told_later_gets_the_hold_back_at_once(client: Client, alice: User, topic: Topic) -> None:
    session = make_request(alice, topic)
    wait_for(session, minutes=4)
    client.force_login(alice)
    client.post(reverse("session_later", args=[session.pk]))
    session.refresh_from_db()
    assert (session.state, session.end_reason) == (State.CANCELLED, "later")
    assert Hold.objects.get(payment__reference=session.pk).state == Hold.State.RELEASED
    row = Watch.objects.get()
    assert (row.session, row.customer, row.topic, row.ended_at) == (session, alice, topic, None)
    page = page_of(client, session)
    assert "We mail you when an expert for Databases is there." in page
    assert "Nothing was charged." in page


def test_an_expired_request_offers_to_tell_later_too(client: Client, alice: User, topic: Topic) -> None:
    session = make_request(alice, topic)
    cancel.expire(session=session)
    assert "Mail me when someone is on" in page_of(client, session)
    client.post(reverse("session_later", args=[session.pk]))
    session.refresh_from_db()
    assert session.state == State.EXPIRED
    assert Watch.objects.get().ended_at is None


def test_who_called_it_off_is_not_asked_whether_to_be_told(client: Client, alice: User, topic: Topic) -> None:
    session = make_request(alice, topic)
    cancel.cancel(session_id=session.pk, customer=alice)
    assert "Mail me" not in page_of(client, session)
    client.post(reverse("session_later", args=[session.pk]))
    assert not Watch.objects.exists()


def test_leaving_too_late_keeps_the_expert_who_has_just_accepted(
    client: Client, alice: User, eve: User, topic: Topic
) -> None:
    session = make_accepted(alice, eve, topic)
    client.force_login(alice)
    client.post(reverse("session_later", args=[session.pk]))
    session.refresh_from_db()
    assert session.state == State.ACCEPTED
    assert not Watch.objects.exists()


def test_an_expert_who_accepts_while_the_customer_leaves_is_kept_and_nothing_is_watched(
    alice: User, eve: User, topic: Topic
) -> None:
    as_the_page_had_it = make_request(alice, topic)
    accept.accept(session_id=as_the_page_had_it.pk, expert=eve)
    with pytest.raises(Refused, match="accepted meanwhile"):
        watch.tell_later(session=as_the_page_had_it, customer=alice)
    assert not Watch.objects.exists()


def test_the_request_stands_though_every_expert_switched_off(client: Client, alice: User, eve: User, topic: Topic) -> None:
    ExpertProfile.objects.update(board_seen_at=timezone.now())
    session = make_request(alice, topic)
    run_wave(session_id=session.pk, now=timezone.now())
    experts.set_availability(user=eve, available=False)
    page = page_of(client, session)
    assert "1 expert alerted" in page
    assert "Nobody has the board open any more" in page
