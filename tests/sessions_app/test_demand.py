"""When people ask and find nobody, by weekday and hour."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from accounts import applying, deciding
from accounts.models import ExpertHours, Topic, User
from sessions_app.demand import heat_map, shade, unmet
from tests.sessions_app.test_statistics import asked

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
ADMIN = "/admin/sessions_app/helpsession/demand/"


def filled(moments: list[datetime], time_zone: str) -> dict[str, int]:
    """Return the hours that are not empty, by their name."""
    rows = heat_map(moments, time_zone).rows
    return {cell.name: cell.count for _, cells in rows for cell in cells if cell.count}


@pytest.fixture
def second(topic: Topic) -> Topic:
    return Topic.objects.create(area="marketing", name="SEO", slug="seo", price_per_minute=150)


# --- the map ---


def test_an_hour_is_the_wall_clocks_of_whoever_looks() -> None:
    tuesday = datetime(2026, 11, 24, 23, 30, tzinfo=UTC)
    assert filled([tuesday], "UTC") == {"Tuesday 23:00–00:00": 1}
    assert filled([tuesday], "Europe/Vienna") == {"Wednesday 00:00–01:00": 1}
    assert filled([tuesday], "America/New_York") == {"Tuesday 18:00–19:00": 1}
    assert filled([tuesday], "Asia/Kathmandu") == {"Wednesday 05:00–06:00": 1}


def test_nine_in_the_morning_is_nine_in_summer_and_in_winter() -> None:
    summer, winter = datetime(2026, 10, 19, 7, 30, tzinfo=UTC), datetime(2026, 10, 26, 8, 30, tzinfo=UTC)
    assert filled([summer, winter], "Europe/Vienna") == {"Monday 09:00–10:00": 2}


def test_the_hour_that_comes_twice_counts_both_times() -> None:
    # 02:00–03:00 of 25 October 2026 came twice in Vienna.
    first, again = datetime(2026, 10, 25, 0, 30, tzinfo=UTC), datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
    assert filled([first, again], "Europe/Vienna") == {"Sunday 02:00–03:00": 2}


@pytest.mark.parametrize(
    ("hours", "sentence"),
    [
        ([], ""),
        ([(24, 20)], "Most unmet: Tuesday 20:00–21:00, 1 request."),
        ([*[(24, 20)] * 4, (25, 9)], "Most unmet: Tuesday 20:00–21:00, 4 requests."),
        ([(24, 20), (26, 9)], "Most unmet: Tuesday 20:00–21:00 and Thursday 09:00–10:00, 1 request each."),
        (
            [(24, 1), (24, 2), (24, 3)],
            "Most unmet: Tuesday 01:00–02:00, Tuesday 02:00–03:00 and Tuesday 03:00–04:00, 1 request each.",
        ),
        (
            [(24, hour) for hour in range(5)],
            "Most unmet: Tuesday 00:00–01:00, Tuesday 01:00–02:00, Tuesday 02:00–03:00 and 2 more hours, 1 request each.",
        ),
    ],
)
def test_the_busiest_hours_are_said_in_a_sentence(hours: list[tuple[int, int]], sentence: str) -> None:
    assert heat_map([datetime(2026, 11, day, hour, 5, tzinfo=UTC) for day, hour in hours], "UTC").sentence == sentence


@given(st.lists(st.integers(0, 366 * 24 * 60), max_size=60))
def test_nothing_is_lost_and_the_fullest_hour_is_the_darkest(minutes: list[int]) -> None:
    found = heat_map([NOW + timedelta(minutes=minute) for minute in minutes], "Australia/Lord_Howe")
    cells = [cell for _, row in found.rows for cell in row]
    assert len(cells) == 7 * 24
    assert sum(cell.count for cell in cells) == found.total == len(minutes)
    assert all((cell.shade == 0) == (cell.count == 0) for cell in cells)
    assert all(cell.shade == 4 for cell in found.busiest)


def test_shades_grow_with_the_count() -> None:
    assert [shade(count, 8) for count in range(9)] == [0, 1, 1, 2, 2, 3, 3, 4, 4]


# --- what is unmet ---


@pytest.mark.parametrize(
    ("fields", "counted"),
    [
        ({}, True),
        ({"state": "cancelled", "end_reason": "later", "ended_at": NOW - timedelta(seconds=3590)}, True),
        ({"state": "cancelled", "ended_at": NOW - timedelta(seconds=3600 - 180)}, True),
        ({"state": "cancelled", "ended_at": NOW - timedelta(seconds=3600 - 179)}, False),
        ({"state": "cancelled", "accepted_at": NOW - timedelta(seconds=3400)}, False),
        ({"state": "cancelled", "end_reason": "no_hold"}, False),
        ({"state": "cancelled", "end_reason": "no_show"}, False),
        ({"state": "ended", "accepted_at": NOW - timedelta(seconds=3400)}, False),
        ({"state": "requested", "ended_at": None}, False),
        ({"state": "cancelled", "requested_at": None}, False),
        ({"requested_at": NOW - timedelta(weeks=8)}, False),
        ({"requested_at": NOW - timedelta(weeks=8) + timedelta(seconds=1)}, True),
    ],
    ids=[
        "expired", "to be told later", "called off after three minutes", "called off sooner", "called off though accepted",
        "no hold", "the customer did not come", "ended", "still open", "never asked", "too long ago", "not too long ago",
    ],
)  # fmt: skip
def test_unmet_is_what_came_to_nothing_for_want_of_an_expert(
    alice: User, topic: Topic, fields: dict[str, object], counted: bool
) -> None:
    asked(alice, topic, NOW - timedelta(hours=1), **fields)
    assert len(unmet(now=NOW, topic_ids=[topic.pk])) == counted


def test_how_long_nobody_may_have_answered_is_a_setting(alice: User, topic: Topic, settings: Settings) -> None:
    asked(alice, topic, NOW - timedelta(hours=1), state="cancelled", ended_at=NOW - timedelta(seconds=3540))
    assert not unmet(now=NOW)
    settings.NOBODY_AFTER_SECONDS = 60
    assert len(unmet(now=NOW)) == 1


def test_one_given_back_waits_anew(alice: User, topic: Topic) -> None:
    start = NOW - timedelta(hours=1)
    asked(
        alice, topic, start,
        state="cancelled", queued_at=start + timedelta(seconds=600), ended_at=start + timedelta(seconds=660),
    )  # fmt: skip
    assert not unmet(now=NOW)


# --- the expert's page ---


def test_an_expert_sees_the_demand_of_each_of_their_topics(
    client: Client, alice: User, eve: User, topic: Topic, second: Topic
) -> None:
    profile = applying.save_application(user=eve, headline="h", about="", topics=[topic, second])
    deciding.approve_all(expert=profile)
    asked(alice, second, timezone.now() - timedelta(hours=1))
    client.force_login(eve)
    first = client.get("/expert/numbers/")
    # The one with the most of it, unless another is asked for.
    assert (first.context["chosen"], first.context["demand"].total) == (second, 1)
    assert first.context["topics"] == [(topic, 0), (second, 1)]
    assert "Most unmet:" in first.content.decode()
    assert '<a href="?topic=seo#demand" aria-current="page">SEO' in first.content.decode()
    other = client.get("/expert/numbers/", {"topic": "databases"})
    assert (other.context["chosen"], other.context["demand"].total) == (topic, 0)
    assert "Nobody asked about Databases in the last 8 weeks." in other.content.decode()
    asked(alice, topic, timezone.now() - timedelta(hours=1), state="ended")
    other = client.get("/expert/numbers/", {"topic": "databases"})
    assert "Nobody who asked about Databases in the last 8 weeks went without an answer." in other.content.decode()


def test_it_says_how_much_of_it_was_in_the_experts_own_hours(client: Client, alice: User, eve: User, topic: Topic) -> None:
    User.objects.filter(pk=eve.pk).update(time_zone="Asia/Tokyo")
    hour_ago = timezone.now() - timedelta(hours=1)
    for at in (hour_ago, hour_ago - timedelta(days=1), hour_ago - timedelta(days=7)):
        asked(alice, topic, at)
    client.force_login(eve)
    assert client.get("/expert/numbers/").context["covered"] is None
    weekday = hour_ago.astimezone(ZoneInfo("Asia/Tokyo")).weekday()
    ExpertHours.objects.create(expert=eve.expert, weekday=weekday, start_minute=0, end_minute=0)
    answer = client.get("/expert/numbers/")
    assert answer.context["covered"] == 2
    assert "2 of 3 were made in your hours." in answer.content.decode()


@pytest.mark.parametrize("slug", ["seo", "nothing", "%00", "x" * 500])
def test_another_topic_than_theirs_shows_theirs(
    client: Client, alice: User, eve: User, topic: Topic, second: Topic, slug: str
) -> None:
    asked(alice, second, timezone.now() - timedelta(hours=1))
    client.force_login(eve)
    answer = client.get(f"/expert/numbers/?topic={slug}")
    assert answer.status_code == 200
    assert (answer.context["chosen"], answer.context["demand"].total) == (topic, 0)


def test_who_is_not_approved_sees_no_demand(client: Client, alice: User, bob: User, topic: Topic) -> None:
    applying.save_application(user=bob, headline="h", about="", topics=[topic])
    asked(alice, topic, timezone.now() - timedelta(hours=1))
    client.force_login(bob)
    answer = client.get("/expert/numbers/")
    assert answer.context["chosen"] is None
    assert "Once an operator has approved a topic of yours" in answer.content.decode()


def test_the_map_is_a_table_with_numbers(client: Client, alice: User, eve: User, topic: Topic) -> None:
    User.objects.filter(pk=eve.pk).update(time_zone="Asia/Tokyo")
    for _ in range(3):
        asked(alice, topic, timezone.now() - timedelta(hours=1))
    client.force_login(eve)
    page = client.get("/expert/numbers/").content.decode()
    assert '<td class="heat-4">3</td>' in page
    assert page.count('<td class="heat-0"><span class="visually-hidden">0</span></td>') == 7 * 24 - 1
    assert "Unmet requests about Databases by weekday and hour, Asia/Tokyo" in page


# --- the operators' page ---


def test_operators_see_every_topics_totals_and_hours(
    client: Client, alice: User, olga: User, topic: Topic, second: Topic
) -> None:
    for _ in range(3):
        asked(alice, topic, timezone.now() - timedelta(hours=1))
    asked(alice, topic, timezone.now(), state="ended", accepted_at=timezone.now())
    asked(alice, second, timezone.now() - timedelta(hours=1))
    client.force_login(olga)
    page = client.get(ADMIN)
    assert [(str(row.topic), row.asked, row.unmet, row.rate) for row in page.context["rows"]] == [
        ("Engineering / Databases", 4, 3, 75),
        ("Marketing / SEO", 1, 1, 100),
    ]
    assert page.context["demand"].total == 4
    one = client.get(ADMIN, {"topic": "seo"})
    assert (one.context["chosen"], one.context["demand"].total) == (second, 1)
    assert client.get(ADMIN, {"topic": "nothing"}).context["demand"].total == 4
    assert ADMIN in client.get("/admin/").content.decode()


def test_the_operators_page_is_no_error_while_nobody_asked(client: Client, alice: User, olga: User, topic: Topic) -> None:
    client.force_login(olga)
    page = client.get(ADMIN)
    assert page.status_code == 200
    assert "Nobody asked in the last 8 weeks." in page.content.decode()
    asked(alice, topic, timezone.now() - timedelta(hours=1), state="ended")
    assert "Nobody who asked in the last 8 weeks went without an answer." in client.get(ADMIN).content.decode()


def test_an_operator_needs_the_permission_to_see_sessions(client: Client, bob: User) -> None:
    User.objects.filter(pk=bob.pk).update(is_staff=True)
    client.force_login(bob)
    assert client.get(ADMIN).status_code == 403
    assert ADMIN not in client.get("/admin/").content.decode()
    bob.user_permissions.add(Permission.objects.get(codename="view_helpsession"))
    assert client.get(ADMIN).status_code == 200


def test_more_requests_and_topics_make_no_more_queries(client: Client, alice: User, olga: User, topic: Topic) -> None:
    client.force_login(olga)

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get(ADMIN).status_code == 200
        return len(captured)

    asked(alice, topic, timezone.now())
    queries()  # the first of a sign-in notes the device
    few = queries()
    for index in range(30):
        more = Topic.objects.create(area="marketing", name=f"T{index}", slug=f"t{index}", price_per_minute=1)
        asked(alice, more, timezone.now() - timedelta(hours=index))
    assert queries() == few
