"""The hours editor: seven days, up to three stretches a day, saved in one go."""

import re
import threading
from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client

from accounts import applying
from accounts.applying import set_hours
from accounts.experts import week_of
from accounts.forms.hours import USUAL, as_sent
from accounts.hours import Stretch
from accounts.models import ExpertHours, User

VIENNA = "Europe/Vienna"
ROUNDS = 12


@pytest.fixture
def page(client: Client, eve: User) -> Callable[..., str]:
    """Send the editor's form as Eve, and return the page that comes."""
    client.force_login(eve)

    def send(*, status: int = 302, time_zone: str = VIENNA, **times: str) -> str:
        sent = {name.replace("_", "-"): value for name, value in times.items()}
        answer = client.post("/expert/settings/hours/", {"time_zone": time_zone, **sent})
        assert answer.status_code == status, answer.content.decode()
        return answer.content.decode()

    return send


@pytest.mark.django_db
def test_the_week_is_saved_with_its_time_zone(page: Callable[..., str], client: Client, eve: User) -> None:
    page(
        monday_1_from="09:00", monday_1_to="12:00", monday_2_from="13:00", monday_2_to="18:00",
        friday_1_from="22:00", friday_1_to="02:00", sunday_1_from="00:00", sunday_1_to="00:00",
    )  # fmt: skip
    assert week_of(eve.expert) == [Stretch(0, 540, 720), Stretch(0, 780, 1080), Stretch(4, 1320, 120), Stretch(6, 0, 0)]
    eve.refresh_from_db()
    assert eve.time_zone == VIENNA
    shown = client.get("/expert/settings/hours/").content.decode()
    assert 'name="friday-1-from" value="22:00"' in shown
    assert "in Vienna:" in shown
    assert shown.count("<details open>") == 1, "what has a second stretch shows it"


@pytest.mark.django_db
def test_old_hours_are_replaced_and_an_empty_week_is_one(page: Callable[..., str], eve: User) -> None:
    page(monday_1_from="09:00", monday_1_to="12:00")
    page(monday_1_from="09:00", monday_1_to="13:00")
    assert week_of(eve.expert) == [Stretch(0, 540, 780)]
    page()
    assert week_of(eve.expert) == []


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("times", "sentence"),
    [
        ({"monday_1_from": "09:00"}, "Say when this stretch ends, or leave both times empty."),
        ({"monday_2_to": "09:00"}, "Say when this stretch begins, or leave both times empty."),
        ({"monday_1_from": "25:00", "monday_1_to": "noon"}, "Write a time of the day such as 09:00 or 18:30."),
        (
            {"monday_1_from": "09:00", "monday_1_to": "12:00", "monday_2_from": "11:00", "monday_2_to": "13:00"},
            "Monday 09:00–12:00 and Monday 11:00–13:00 overlap.",
        ),
        (
            {"monday_1_from": "09:00", "monday_1_to": "12:00", "monday_3_from": "09:00", "monday_3_to": "12:00"},
            "Monday 09:00–12:00 is here twice.",
        ),
        (
            {"monday_1_from": "22:00", "monday_1_to": "02:00", "tuesday_1_from": "01:00", "tuesday_1_to": "03:00"},
            "Monday 22:00–02:00 and Tuesday 01:00–03:00 overlap.",
        ),
        ({"monday_1_from": "09:00", "monday_1_to": "09:00"}, "For the whole day write 00:00–00:00."),
        (
            {"monday_1_from": "00:00", "monday_1_to": "01:00", "sunday_1_from": "23:00", "sunday_1_to": "00:30"},
            "Monday 00:00–01:00 and Sunday 23:00–00:30 overlap.",
        ),
    ],
)
def test_what_cannot_be_is_refused_at_its_day_and_nothing_is_lost(
    page: Callable[..., str], eve: User, times: dict[str, str], sentence: str
) -> None:
    shown = page(status=422, **times)
    assert sentence in shown
    for value in times.values():
        assert f'value="{value}"' in shown
    assert not ExpertHours.objects.exists()
    day = list(times)[-1].split("_")[0].capitalize()
    at_day = shown[shown.index(f"<legend>{day}</legend>") :].split("</fieldset>")[0]
    assert sentence in at_day


@pytest.mark.django_db
def test_stretches_may_touch(page: Callable[..., str], eve: User) -> None:
    page(monday_1_from="09:00", monday_1_to="12:00", monday_2_from="12:00", monday_2_to="00:00", tuesday_1_from="00:00",
         tuesday_1_to="01:00")  # fmt: skip
    assert len(week_of(eve.expert)) == 3


@pytest.mark.django_db
def test_a_time_zone_we_do_not_know_gets_a_sentence(page: Callable[..., str]) -> None:
    assert "Choose one such as Europe/Vienna" in page(status=422, time_zone="Moon/Crater")


@pytest.mark.django_db
def test_monday_is_copied_to_all_weekdays_and_saved_only_then(page: Callable[..., str], eve: User) -> None:
    sent = {"monday_1_from": "08:00", "monday_1_to": "11:30", "tuesday_1_from": "20:00", "saturday_1_from": "10:00"}
    shown = page(status=422, copy="monday", saturday_1_to="", **sent)
    assert shown.count('value="08:00"') == shown.count('value="11:30"') == 5
    assert 'value="20:00"' not in shown
    assert 'value="10:00"' in shown, "what was typed elsewhere stays"
    shown = page(status=200, copy="monday", monday_1_from="08:00", monday_1_to="11:30")
    assert "Nothing is saved yet" in shown
    assert not ExpertHours.objects.exists()


@pytest.mark.django_db
def test_who_is_no_expert_is_asked_to_become_one(client: Client, bob: User) -> None:
    client.force_login(bob)
    assert client.get("/expert/settings/hours/").headers["Location"] == "/expert/apply/"


@pytest.mark.django_db(transaction=True)
def test_two_tabs_that_save_at_once_leave_the_hours_of_one(eve: User) -> None:
    weeks = [{Stretch(day, 9 * 60, 17 * 60) for day in range(7)}, {Stretch(day, 8 * 60, 12 * 60) for day in range(1, 6)}]
    weeks[1] |= {Stretch(6, 9 * 60, 10 * 60)}  # starts as the other's does
    together = threading.Barrier(2)
    problems: list[BaseException] = []

    def save(week: set[Stretch]) -> None:
        try:
            for _ in range(ROUNDS):
                together.wait(timeout=30)
                set_hours(user=eve, expert=eve.expert, hours=week, time_zone=VIENNA)
                together.wait(timeout=30)
                # Both are done: what is there now is one of the two, whole.
                assert set(week_of(eve.expert)) in weeks
        except BaseException as problem:
            problems.append(problem)
            together.abort()
        finally:
            connection.close()

    tabs = [threading.Thread(target=save, args=(week,)) for week in weeks]
    for tab in tabs:
        tab.start()
    for tab in tabs:
        tab.join()
    assert problems == []


@pytest.mark.django_db
def test_what_is_sent_for_hours_is_what_they_were(client: Client, eve: User) -> None:
    client.force_login(eve)
    client.post("/expert/settings/hours/", as_sent(USUAL, VIENNA))
    assert week_of(eve.expert) == list(USUAL)


@pytest.mark.django_db
def test_the_device_test_is_written_down_each_time(client: Client, eve: User) -> None:
    client.force_login(eve)
    shown = client.get("/expert/check/").content.decode()
    (verdict,) = re.findall(r"<form[^>]*data-verdict[^>]*>", shown)
    assert " hidden" in verdict, "only a script can test, and only it shows the button"
    assert "Something does not work" in shown
    assert "Last tested" not in shown
    answer = client.post("/expert/check/", follow=True)
    assert answer.redirect_chain == [("/expert/", 302)]
    assert "Noted: you say that sound and devices work." in answer.content.decode()
    eve.expert.refresh_from_db()
    first = eve.expert.devices_tested_at
    assert first is not None
    assert "Last tested" in client.get("/expert/check/").content.decode()
    applying.devices_work(user=eve)
    eve.expert.refresh_from_db()
    assert eve.expert.devices_tested_at is not None
    assert eve.expert.devices_tested_at > first
