"""What an expert was told of and what became of it, counted."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import REACHED, ExpertProfile, Message, Topic, User
from sessions_app import accept, release
from sessions_app.models import Exclusion, HelpSession, State
from sessions_app.reach.waves import run_wave
from sessions_app.statistics import Heard, Numbers, Outcome, count, figures_of, start_of
from tests.people import give_card, make_accepted, make_request

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
Way = Message.Way


def tell(session: HelpSession, expert: User, way: Message.Way, at: datetime, state: str = Message.State.SENT) -> None:
    """Leave a message about `session` that went to `expert` at `at`."""
    Message.objects.create(
        key=str(uuid4()), to=expert, way=way, purpose="request", reference=session.pk, state=state, created_at=at, sent_at=at
    )


def asked(customer: User, topic: Topic, at: datetime, **fields: object) -> HelpSession:
    """Return a request made at `at`, as `fields` left it; unless they say otherwise, it expired ten minutes later."""
    values: dict[str, object] = {
        "state": State.EXPIRED, "currency": "USD", "price_per_minute": 200, "cap_minutes": 30, "title": "Query is slow",
        "created_at": at, "requested_at": at, "queued_at": at, "ended_at": at + timedelta(minutes=10),
    }  # fmt: skip
    return HelpSession.objects.create(customer=customer, topic=topic, **{**values, **fields})


def week_of(expert: User, now: datetime = NOW) -> Numbers:
    week, _ = figures_of(expert, now=now)
    return week


def figures(numbers: Numbers) -> tuple[int, int, int, int, int]:
    return numbers.told, numbers.accepted, numbers.missed, numbers.given_back, numbers.uncounted


def seconds(amount: float) -> timedelta:
    return timedelta(seconds=amount)


# --- one request, and what it counts as ---


@pytest.mark.parametrize(
    ("fields", "counted"),
    [
        ({}, (1, 0, 1, 0, 0)),
        ({"state": "ended", "expert": "erin", "accepted_at": NOW - seconds(1000)}, (1, 0, 1, 0, 0)),
        ({"state": "cancelled", "expert": "erin", "accepted_at": NOW - seconds(3599)}, (1, 0, 1, 0, 0)),
        ({"state": "ended", "expert": "eve", "accepted_at": NOW - seconds(3590)}, (1, 1, 0, 0, 0)),
        ({"state": "cancelled", "expert": "eve", "accepted_at": NOW - seconds(9), "end_reason": "no_show"}, (1, 1, 0, 0, 0)),
        ({"state": "cancelled", "ended_at": NOW - seconds(3600 - 19)}, (1, 0, 0, 0, 1)),
        ({"state": "cancelled", "ended_at": NOW - seconds(3600 - 20)}, (1, 0, 1, 0, 0)),
        ({"state": "cancelled", "end_reason": "later"}, (1, 0, 1, 0, 0)),
        ({"state": "cancelled", "end_reason": "no_hold"}, (1, 0, 0, 0, 1)),
        ({"state": "requested", "ended_at": None}, (1, 0, 0, 0, 1)),
    ],
    ids=[
        "expired", "taken by another", "taken by another at once", "accepted", "accepted and nobody came",
        "called off at once", "called off", "to be told later", "the bank gave the hold back", "still open",
    ],
)  # fmt: skip
def test_a_request_told_of_counts_once_and_as_one_thing(
    alice: User, eve: User, erin: User, topic: Topic, fields: dict[str, object], counted: tuple[int, ...]
) -> None:
    people = {"eve": eve, "erin": erin}
    if "expert" in fields:
        fields = {**fields, "expert": people[str(fields["expert"])]}
    session = asked(alice, topic, NOW - timedelta(hours=1), **fields)
    tell(session, eve, Way.BOARD, NOW - timedelta(hours=1))
    tell(session, eve, Way.TEXT, NOW - timedelta(hours=1) + seconds(20))
    assert figures(week_of(eve)) == counted


def test_what_never_reached_the_expert_is_not_told(alice: User, eve: User, topic: Topic) -> None:
    session = asked(alice, topic, NOW - timedelta(hours=1))
    for state in set(Message.State) - set(REACHED):
        tell(session, eve, Way.TEXT, NOW - timedelta(hours=1), state=state)
    assert week_of(eve).is_empty
    tell(session, eve, Way.MAIL, NOW - timedelta(hours=1), state="delivered")
    assert figures(week_of(eve)) == (1, 0, 1, 0, 0)


def test_tests_and_codes_are_not_requests(eve: User) -> None:
    for purpose in ("test", "code"):
        Message.objects.create(key=purpose, to=eve, way=Way.TEXT, purpose=purpose, state="sent", sent_at=NOW, created_at=NOW)
    assert week_of(eve).is_empty


def test_one_passed_on_in_the_first_minute_is_not_counted(alice: User, eve: User, topic: Topic) -> None:
    session = asked(alice, topic, NOW - timedelta(hours=1))
    tell(session, eve, Way.BOARD, NOW - timedelta(hours=1))
    Exclusion.objects.create(session=session, expert=eve)
    week = week_of(eve)
    assert figures(week) == (1, 0, 0, 0, 1)
    assert week.rate is None


def test_one_given_back_is_neither_missed_nor_accepted(alice: User, eve: User, erin: User, topic: Topic) -> None:
    told, untold = (asked(alice, topic, NOW - timedelta(hours=hours)) for hours in (1, 2))
    for session in (told, untold):
        session.timeline.create(kind="accepted", by=eve)
        Exclusion.objects.create(session=session, expert=eve)
    tell(told, eve, Way.BOARD, NOW - timedelta(hours=1))
    tell(told, erin, Way.BOARD, NOW - timedelta(hours=1))
    assert figures(week_of(eve)) == (1, 0, 0, 2, 0)
    assert figures(week_of(erin)) == (1, 0, 1, 0, 0)


def test_what_went_while_the_expert_was_in_a_session_was_not_theirs_to_take(
    alice: User, bob: User, eve: User, topic: Topic
) -> None:
    start = NOW - timedelta(hours=1)
    mine = asked(alice, topic, start, state="ended", expert=eve, accepted_at=start + seconds(5))
    theirs = asked(bob, topic, start, ended_at=start + seconds(300))
    later = asked(bob, topic, start, ended_at=start + timedelta(minutes=11))
    for session in (mine, theirs, later):
        tell(session, eve, Way.BOARD, start)
    assert figures(week_of(eve)) == (3, 1, 1, 0, 1)


def test_one_accepted_before_any_message_counts_as_accepted(alice: User, eve: User, topic: Topic) -> None:
    make_accepted(alice, eve, topic)
    numbers = week_of(eve, timezone.now())
    assert figures(numbers) == (0, 1, 0, 0, 0)
    # It says nothing of how many of those told of were accepted, or how soon.
    assert (numbers.rate, numbers.median_seconds) == (None, None)


def test_the_other_experts_numbers_are_their_own(alice: User, eve: User, erin: User, topic: Topic) -> None:
    tell(asked(alice, topic, NOW - timedelta(hours=1)), erin, Way.BOARD, NOW - timedelta(hours=1))
    assert week_of(eve).is_empty


# --- how quickly, by which way, since when ---


def test_the_median_runs_from_first_being_told_to_accepting(alice: User, eve: User, topic: Topic) -> None:
    for hours, wait in ((2, 10), (3, 40), (4, 31)):
        at = NOW - timedelta(hours=hours)
        session = asked(alice, topic, at, state="ended", expert=eve, accepted_at=at + seconds(5 + wait))
        tell(session, eve, Way.TEXT, at + seconds(25))
        tell(session, eve, Way.BOARD, at + seconds(5))
    assert week_of(eve).median_seconds == 31


def test_the_time_another_expert_had_it_is_not_the_experts(alice: User, eve: User, topic: Topic) -> None:
    at = NOW - timedelta(hours=1)
    session = asked(alice, topic, at, state="ended", expert=eve, queued_at=at + seconds(90), accepted_at=at + seconds(102))
    tell(session, eve, Way.BOARD, at)
    assert week_of(eve).median_seconds == 12


def test_each_way_says_what_it_brought(alice: User, eve: User, topic: Topic) -> None:
    at = NOW - timedelta(hours=1)
    taken = asked(alice, topic, at, state="ended", expert=eve, accepted_at=at + seconds(30))
    lost = asked(alice, topic, at)
    tell(taken, eve, Way.BOARD, at)
    tell(taken, eve, Way.TEXT, at + seconds(20))
    tell(lost, eve, Way.TEXT, at)
    assert [(row.told, row.accepted) for row in week_of(eve).by_way] == [(1, 1), (0, 0), (2, 1), (0, 0)]


def test_the_rate_is_of_what_was_theirs_to_take() -> None:
    outcomes = [*[Outcome.ACCEPTED] * 2, Outcome.MISSED, Outcome.GIVEN_BACK, *[Outcome.OPEN] * 5, Outcome.NOT_THEIRS]
    heard = [Heard(NOW, frozenset({"board"}), outcome) for outcome in outcomes]
    assert count(heard, days=7, since=NOW).rate == 50
    assert count(heard[4:], days=7, since=NOW).rate is None


def test_days_begin_at_midnight_on_the_experts_own_clock(alice: User, eve: User, topic: Topic) -> None:
    User.objects.filter(pk=eve.pk).update(time_zone="America/New_York")
    eve.refresh_from_db()
    # Seven days ending with 24 November begin on the 18th at 00:00 in New York, which is 05:00 UTC.
    first = datetime(2026, 11, 18, 5, 0, tzinfo=UTC)
    for at in (first - seconds(1), first):
        tell(asked(alice, topic, at), eve, Way.BOARD, at)
    week, month = figures_of(eve, now=NOW)
    assert (week.told, month.told) == (1, 2)


def test_midnight_is_the_wall_clocks_on_both_sides_of_a_change() -> None:
    # Clocks in Vienna went back on 25 October 2026.
    now = datetime(2026, 10, 28, 12, 0, tzinfo=UTC)
    assert start_of(7, "Europe/Vienna", now) == datetime(2026, 10, 21, 22, 0, tzinfo=UTC)
    assert start_of(2, "Europe/Vienna", now) == datetime(2026, 10, 26, 23, 0, tzinfo=UTC)


# --- from the real thing ---


def test_a_real_wave_on_an_open_board_counts_as_told(alice: User, eve: User, erin: User, topic: Topic) -> None:
    ExpertProfile.objects.filter(user=eve).update(board_seen_at=timezone.now())
    session = make_request(alice, topic)
    run_wave(session_id=session.pk, now=timezone.now())
    assert figures(week_of(eve, timezone.now())) == (1, 0, 0, 0, 1)
    accept.accept(session_id=session.pk, expert=eve)
    assert figures(week_of(eve, timezone.now())) == (1, 1, 0, 0, 0)
    release.release(session_id=session.pk, expert=eve)
    assert figures(week_of(eve, timezone.now())) == (1, 0, 0, 1, 0)
    assert week_of(erin, timezone.now()).is_empty


# --- the page ---


def test_the_page_shows_both_periods_and_says_what_is_counted(client: Client, alice: User, eve: User, topic: Topic) -> None:
    now = timezone.now()
    for days, wait in ((0, 25), (20, 3700)):
        at = now - timedelta(days=days, minutes=5)
        session = asked(alice, topic, at, state="ended", expert=eve, accepted_at=at + seconds(wait))
        tell(session, eve, Way.BOARD, at)
    tell(asked(alice, topic, now - timedelta(minutes=30)), eve, Way.TEXT, now - timedelta(minutes=30))
    client.force_login(eve)
    answer = client.get("/expert/numbers/")
    week, month = answer.context["periods"]
    assert (week.told, month.told) == (2, 3)
    page = answer.content.decode()
    for words in ("50 %", "67 %", "25 s", "Median time to accept", "What is counted", "Text message"):
        assert words in page


def test_a_new_expert_reads_what_will_be_here(client: Client, eve: User) -> None:
    client.force_login(eve)
    page = client.get("/expert/numbers/").content.decode()
    assert "Nothing to count yet" in page
    assert "What is counted" not in page


def test_the_board_leads_there(client: Client, eve: User) -> None:
    client.force_login(eve)
    assert 'href="/expert/numbers/"' in client.get("/expert/").content.decode()


def test_it_leads_to_the_ways_to_be_told(client: Client, alice: User, eve: User, topic: Topic) -> None:
    tell(asked(alice, topic, timezone.now()), eve, Way.BOARD, timezone.now())
    client.force_login(eve)
    assert '<a href="/expert/settings/reach/">Change how you are told</a>' in client.get("/expert/numbers/").content.decode()


def test_more_requests_make_no_more_queries(client: Client, alice: User, eve: User, topic: Topic) -> None:
    give_card(alice)
    client.force_login(eve)

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get("/expert/numbers/").status_code == 200
        return len(captured)

    tell(asked(alice, topic, timezone.now()), eve, Way.BOARD, timezone.now())
    queries()  # the first of a sign-in notes the device
    few = queries()
    for minutes in range(40):
        at = timezone.now() - timedelta(minutes=minutes)
        for way in Way:
            tell(asked(alice, topic, at), eve, way, at)
    assert queries() == few <= 15
