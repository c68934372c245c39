"""An expert's ways to be reached: chosen, tested, agreed to and ended; and quiet for a while."""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from accounts import phones, reach
from accounts.consent import end_consent, number_for_texts
from accounts.hours import Stretch
from accounts.models import ExpertHours, ExpertProfile, Message, TextConsent, User
from hopps.errors import Refused
from script.lib.processes import free_port
from tests.people import give_phone, open_all_hours

pytestmark = pytest.mark.django_db

NUMBER = "+436641234567"
PAGE = "/expert/settings/reach/"
Way = Message.Way


@pytest.fixture
def eves(client: Client, eve: User) -> Client:
    client.force_login(eve)
    return client


def page_of(client: Client) -> str:
    """Return the page's text as one line."""
    return re.sub(r"\s+", " ", client.get(PAGE).content.decode())


def send_test(client: Client, way: str) -> str:
    """Press the button, and return the page that comes."""
    return client.post(f"/expert/reach/test/{way}/", follow=True).content.decode()


# --- Ways ---


def test_an_expert_chooses_ways(eves: Client, eve: User) -> None:
    assert eves.post(PAGE, {"by_mail": "on", "all_at_once": "on"}).status_code == 302
    expert = ExpertProfile.objects.get(user=eve)
    assert (expert.by_push, expert.by_text, expert.by_mail, expert.all_at_once) == (False, False, True, True)


def test_whoever_ticks_nothing_is_told_that_nothing_is_sent(eves: Client) -> None:
    warning = "Saved. Nothing is sent to you now: only your open board chimes."
    assert warning in eves.post(PAGE, {"all_at_once": "on"}, follow=True).content.decode()
    assert warning not in eves.post(PAGE, {"by_mail": "on"}, follow=True).content.decode()


def test_whoever_nothing_can_reach_is_warned(eves: Client, eve: User) -> None:
    open_all_hours(eve)
    only_mail, nothing = "Only a mail reaches you while your board is closed", "Nothing reaches you"
    assert only_mail in page_of(eves)
    give_phone(eve, NUMBER)
    assert only_mail not in page_of(eves)
    eves.post(PAGE, {"by_push": "on"})
    assert only_mail in page_of(eves)
    eves.post(PAGE, {})
    assert nothing in page_of(eves)
    eves.post(PAGE, {"by_mail": "on"})
    assert nothing not in page_of(eves)
    assert only_mail not in page_of(eves)


def test_whoever_has_no_hours_is_warned(eves: Client, eve: User) -> None:
    assert "You have no hours," in page_of(eves)
    open_all_hours(eve)
    assert "You have no hours," not in page_of(eves)


# --- Consent ---


def test_texts_are_agreed_to_and_ended_without_a_new_code(eves: Client, eve: User) -> None:
    phones.verify(user=eve, number=NUMBER)
    assert "you have not agreed to them" in page_of(eves)
    eves.post("/expert/reach/consent/", {"agreed": "1"})
    assert number_for_texts(eve) == NUMBER
    assert TextConsent.objects.get().wording == phones.CONSENT_WORDING
    eves.post("/expert/reach/consent/", {"agreed": "0"})
    assert number_for_texts(eve) is None
    assert TextConsent.objects.get().ended_by == TextConsent.EndedBy.PERSON
    assert "you ended them on" in page_of(eves)
    eves.post("/expert/reach/consent/", {"agreed": "1"})
    assert number_for_texts(eve) == NUMBER
    assert TextConsent.objects.count() == 2


def test_nobody_agrees_to_texts_without_a_number(eves: Client, eve: User) -> None:
    assert (
        "Verify your phone number first"
        in eves.post("/expert/reach/consent/", {"agreed": "1"}, follow=True).content.decode()
    )
    assert not TextConsent.objects.exists()


def test_a_press_without_the_tick_agrees_to_nothing(eves: Client, eve: User) -> None:
    phones.verify(user=eve, number=NUMBER)
    eves.post("/expert/reach/consent/")
    assert number_for_texts(eve) is None


@pytest.mark.parametrize(
    ("by", "said"),
    [
        (TextConsent.EndedBy.STOP, "you answered STOP on"),
        (TextConsent.EndedBy.CARRIER, "your carrier refuses them for this number"),
    ],
)
def test_whoever_gets_no_texts_any_more_reads_why_and_what_to_do(
    eves: Client, eve: User, by: TextConsent.EndedBy, said: str
) -> None:
    give_phone(eve, NUMBER)
    end_consent(number=NUMBER, by=by)
    page = page_of(eves)
    assert said in page
    assert "text START to the number they came from" in page


# --- Tests ---


def test_a_test_mail_comes_and_the_page_says_so(eves: Client, eve: User) -> None:
    assert f"A test is on its way to {eve.email}." in send_test(eves, "mail")
    (sent,) = mail.outbox
    assert (sent.to, sent.subject) == ([eve.email], "A test from Hopps")
    message = Message.objects.get()
    assert (message.to, message.way, message.purpose, message.state) == (eve, Way.MAIL, "test", "sent")
    assert re.search(r"Last test <time[^>]*>[^<]*</time>: sent", page_of(eves))


def test_a_test_text_goes_to_the_number_agreed_for(eves: Client, eve: User, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", logger="hopps.sms")
    give_phone(eve, NUMBER)
    assert f"A test is on its way to {NUMBER}." in send_test(eves, "text")
    assert f"Text to {NUMBER}: Hopps: this is your test." in caplog.text
    assert "STOP" in caplog.text


def test_a_second_test_within_the_minute_is_not_sent(eves: Client, eve: User) -> None:
    send_test(eves, "mail")
    # Where the minute turned between the two, the third falls into the second's.
    pages = [send_test(eves, "mail"), send_test(eves, "mail")]
    assert "You had a test a moment ago." in pages[-1]
    assert len(mail.outbox) <= 2


def test_texts_cost_money_so_tests_by_text_end_for_the_day(eve: User) -> None:
    give_phone(eve, NUMBER)
    for index in range(reach.TEST_TEXTS_A_DAY):
        Message.objects.create(key=f"earlier:{index}", to=eve, way=Way.TEXT, purpose=Message.Purpose.TEST)
    with pytest.raises(Refused, match="many texts today"):
        reach.send_test(user=eve, way=Way.TEXT)


@pytest.mark.parametrize(
    ("way", "said"),
    [("push", "no browser of yours takes notifications yet"), ("text", "you have no verified phone number yet")],
)
def test_a_way_that_is_not_set_up_is_not_tested(eves: Client, eve: User, way: str, said: str) -> None:
    assert f"We cannot send a test: {said}." in send_test(eves, way)
    assert not Message.objects.exists()


def test_nobody_is_texted_a_test_without_consent(eves: Client, eve: User) -> None:
    phones.verify(user=eve, number=NUMBER)
    assert "you have not agreed to texts at your number" in send_test(eves, "text")
    assert not Message.objects.exists()


def test_a_mail_server_that_is_not_there_is_said_plainly(eves: Client, settings: Settings) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", free_port()
    assert "could not be sent just now" in send_test(eves, "mail")
    assert Message.objects.get().state == Message.State.FAILED


# --- Do not disturb ---


def test_quiet_for_an_hour_keeps_an_expert_out_of_the_available(eves: Client, eve: User) -> None:
    before = timezone.now()
    answer = eves.post("/expert/quiet/", {"length": "hour", "next": "/expert/"})
    assert answer["Location"] == "/expert/"
    expert = ExpertProfile.objects.get(user=eve)
    assert expert.quiet_until is not None
    assert before + timedelta(hours=1) <= expert.quiet_until <= timezone.now() + timedelta(hours=1)
    assert not ExpertProfile.objects.available().filter(user=eve).exists()
    board = eves.get("/expert/").content.decode()
    assert "You asked not to be disturbed" in board
    eves.post("/expert/quiet/", {"length": "end"})
    assert ExpertProfile.objects.available().filter(user=eve).exists()


def test_quiet_until_a_chosen_moment_on_the_experts_own_clock(eves: Client, eve: User) -> None:
    User.objects.filter(pk=eve.pk).update(time_zone="Asia/Tokyo")
    day = timezone.now().astimezone(ZoneInfo("Asia/Tokyo")).date() + timedelta(days=3)
    assert eves.post("/expert/quiet/", {"length": "until", "until": f"{day}T14:30"}).status_code == 302
    until = ExpertProfile.objects.get(user=eve).quiet_until
    assert until == datetime(day.year, day.month, day.day, 14, 30, tzinfo=ZoneInfo("Asia/Tokyo"))


@pytest.mark.parametrize(
    ("until", "said"),
    [
        ("2020-01-01T10:00", "Choose a time that is still to come."),
        ("2099-01-01T10:00", "Choose a time within 60 days."),
        ("soon", "Give a date and a time"),
        ("", "Choose a date and a time."),
    ],
)
def test_a_moment_that_cannot_be_is_said_at_the_field(eves: Client, eve: User, until: str, said: str) -> None:
    answer = eves.post("/expert/quiet/", {"length": "until", "until": until})
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert ExpertProfile.objects.get(user=eve).quiet_until is None


@pytest.mark.parametrize("until", ["2027-03-28T02:30", "2026-10-25T02:30"], ids=["skipped", "doubled"])
def test_an_hour_the_clock_skips_or_doubles_is_refused_in_a_plain_sentence(eves: Client, eve: User, until: str) -> None:
    User.objects.filter(pk=eve.pk).update(time_zone="Europe/Vienna")
    answer = eves.post("/expert/quiet/", {"length": "until", "until": until})
    assert answer.status_code == 422
    assert "it shows this time twice or not at all. Choose another hour." in answer.content.decode()


def test_every_button_of_the_page_works_where_forgery_is_watched_for(eve: User) -> None:
    give_phone(eve, NUMBER)
    client = Client(enforce_csrf_checks=True)
    client.force_login(eve)
    for address in (PAGE, "/expert/", "/accounts/phone/change/"):
        page = client.get(address).content.decode()
        assert page.count('method="post"') == page.count('name="csrfmiddlewaretoken"') > 1


def test_the_way_back_never_leads_to_another_site(eves: Client) -> None:
    for elsewhere in ("https://example.org/", "//example.org/", "javascript:alert(1)"):
        assert eves.post("/expert/quiet/", {"length": "hour", "next": elsewhere})["Location"] == PAGE


VIENNA = "Europe/Vienna"
OFFICE = [Stretch(weekday, 9 * 60, 17 * 60) for weekday in range(5)]


@pytest.mark.parametrize(
    ("hours", "now", "morning"),
    [
        pytest.param(OFFICE, "2026-11-24T15:00", "2026-11-25T09:00", id="tomorrow's hours"),
        pytest.param(OFFICE, "2026-11-25T02:00", "2026-11-25T09:00", id="whoever is still up sleeps first"),
        pytest.param(OFFICE, "2026-11-27T15:00", "2026-11-28T08:00", id="no hours on a Saturday"),
        pytest.param([], "2026-11-24T15:00", "2026-11-25T08:00", id="no hours at all"),
        pytest.param([Stretch(2, 0, 0)], "2026-11-24T15:00", "2026-11-25T08:00", id="midnight is no morning"),
        pytest.param([Stretch(6, 540, 600)], "2026-10-24T15:00", "2026-10-25T09:00", id="the clock is put back at night"),
    ],
)
def test_tomorrow_morning_is_when_the_experts_own_day_begins(hours: list[Stretch], now: str, morning: str) -> None:
    zone = ZoneInfo(VIENNA)
    now_utc = datetime.fromisoformat(now).replace(tzinfo=zone).astimezone(UTC)
    assert reach.next_morning(hours, VIENNA, now_utc) == datetime.fromisoformat(morning).replace(tzinfo=zone)


def test_quiet_until_the_morning_reads_the_experts_hours(eves: Client, eve: User) -> None:
    for weekday in range(7):
        ExpertHours.objects.create(expert=eve.expert, weekday=weekday, start_minute=390, end_minute=1000)
    eves.post("/expert/quiet/", {"length": "morning"})
    until = ExpertProfile.objects.get(user=eve).quiet_until
    assert until is not None
    local = until.astimezone(ZoneInfo(eve.time_zone))
    assert (local.hour, local.minute) == (6, 30)
