"""A phone number is proven by a code, changed, and removed; texts to it need a consent of their own."""

import re
from collections.abc import Callable

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from accounts import phones
from accounts.consent import number_for_texts
from accounts.models import Message, Phone, TextConsent, User
from hopps.errors import Refused
from tests.peers.twilio_stand_in import TwilioStandIn
from tests.people import give_phone

pytestmark = pytest.mark.django_db

NUMBER = "+436641234567"
CHANGE, VERIFY, REMOVE = (f"/accounts/phone/{step}/" for step in ("change", "verify", "remove"))


@pytest.fixture(autouse=True)
def texts(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """The console sender's log: what went out. Limits of earlier tests are forgotten."""
    cache.clear()
    caplog.set_level("INFO", logger="hopps.sms")
    return caplog


@pytest.fixture
def eves(client: Client, eve: User) -> Client:
    client.force_login(eve)
    return client


def code_in(texts: pytest.LogCaptureFixture) -> str:
    found = re.findall(r"\b[0-9]{6}\b", texts.messages[-1])
    assert len(found) == 1
    return str(found[0])


def ask_for_code(client: Client, number: str = NUMBER, **agreed: str) -> int:
    return client.post(CHANGE, {"phone": number, **agreed}).status_code


def test_a_number_is_verified_by_the_code_texted_to_it(eves: Client, eve: User, texts: pytest.LogCaptureFixture) -> None:
    assert ask_for_code(eves, "0043 (0)664 / 123-45 67") == 302
    assert not Phone.objects.exists()
    answer = eves.post(VERIFY, {"code": code_in(texts)})
    assert answer["Location"] == "/expert/settings/reach/"
    assert Phone.objects.get().number == NUMBER
    assert number_for_texts(eve) is None


def test_the_row_of_a_code_does_not_keep_the_code(eves: Client, eve: User, texts: pytest.LogCaptureFixture) -> None:
    ask_for_code(eves)
    message = Message.objects.get()
    assert (message.to, message.address, message.purpose, message.state) == (eve, NUMBER, "code", "sent")
    assert code_in(texts) not in message.text


def test_consent_is_kept_with_its_words_and_time_once_the_number_is_verified(
    eves: Client, eve: User, texts: pytest.LogCaptureFixture
) -> None:
    before = timezone.now()
    ask_for_code(eves, agreed="on")
    assert not TextConsent.objects.exists()
    eves.post(VERIFY, {"code": code_in(texts)})
    consent = TextConsent.objects.get()
    assert (consent.number, consent.wording) == (NUMBER, phones.CONSENT_WORDING)
    assert before <= consent.given_at <= timezone.now()
    assert number_for_texts(eve) == NUMBER


def test_agreeing_is_never_ticked_beforehand_and_says_the_very_words(eves: Client) -> None:
    page = eves.get(CHANGE).content.decode()
    (box,) = re.findall(r"<input[^>]*name=\"agreed\"[^>]*>", page)
    assert "checked" not in box
    assert phones.CONSENT_WORDING.replace("'", "&#x27;") in page


def test_an_agreement_counts_for_the_number_it_was_given_for(
    eves: Client, eve: User, texts: pytest.LogCaptureFixture
) -> None:
    ask_for_code(eves)
    # Another tab, at the same moment, wrote its own into the session last.
    session = eves.session
    session["phone_agreed"] = {"number": "+436640000000", "wording": phones.CONSENT_WORDING}
    session.save()
    eves.post(VERIFY, {"code": code_in(texts)})
    assert number_for_texts(eve) is None


def test_a_wrong_code_verifies_nothing_and_three_are_the_end(eves: Client, texts: pytest.LogCaptureFixture) -> None:
    ask_for_code(eves)
    right = code_in(texts)
    wrong = "000000" if right != "000000" else "000001"
    assert [eves.post(VERIFY, {"code": wrong}).status_code for _ in range(3)] == [422, 422, 302]
    answer = eves.post(VERIFY, {"code": right}, follow=True)
    assert "not valid any more" in answer.content.decode()
    assert not Phone.objects.exists()


def test_a_code_works_for_fifteen_minutes(eves: Client, texts: pytest.LogCaptureFixture) -> None:
    ask_for_code(eves)
    session = eves.session
    session["account_phone_verification"]["at"] -= 15 * 60 + 1
    session.save()
    answer = eves.post(VERIFY, {"code": code_in(texts)}, follow=True)
    assert "not valid any more" in answer.content.decode()
    assert not Phone.objects.exists()


@pytest.mark.parametrize(
    "written", ["0664 1234567", "+0664123456", "+43", "call me", "+43664123456789012", "+43664１２３４５６７", ""]
)
def test_what_is_no_number_is_said_in_a_sentence(eves: Client, written: str) -> None:
    answer = eves.post(CHANGE, {"phone": written})
    assert answer.status_code == 422
    assert answer.context["form"].errors["phone"]
    assert not Message.objects.exists()


@pytest.mark.parametrize(
    "written", ["+43 664 1234567", "0043-664-1234567", "+43 (664) 123.45.67", "+43 (0)664 1234567", NUMBER]
)
def test_a_number_is_understood_as_people_write_it(written: str) -> None:
    assert phones.normalise(written) == NUMBER


def test_a_number_somebody_else_verified_cannot_be_taken_and_only_its_holder_learns_so(
    eves: Client, alice: User, texts: pytest.LogCaptureFixture
) -> None:
    give_phone(alice, NUMBER)
    assert ask_for_code(eves) == 302
    answer = eves.post(VERIFY, {"code": code_in(texts)})
    assert answer.status_code == 422
    page = answer.content.decode()
    assert phones.TAKEN in page
    assert "alice" not in page.lower()
    assert Phone.objects.get().user == alice


def test_typing_a_number_blocks_it_for_nobody(eves: Client, alice: User, texts: pytest.LogCaptureFixture) -> None:
    ask_for_code(eves)
    phones.verify(user=alice, number=NUMBER)
    answer = eves.post(VERIFY, {"code": code_in(texts)})
    assert answer.status_code == 422
    assert Phone.objects.get().user == alice


def test_of_two_who_verify_a_number_at_the_same_moment_one_has_it(eve: User, alice: User) -> None:
    phones.verify(user=alice, number=NUMBER)
    with pytest.raises(Refused, match="another account"):
        phones.verify(user=eve, number=NUMBER)
    phones.verify(user=alice, number=NUMBER)
    assert Phone.objects.get().user == alice


def test_another_number_ends_the_consent_to_the_old_one(eves: Client, eve: User, texts: pytest.LogCaptureFixture) -> None:
    give_phone(eve, "+436640000000")
    ask_for_code(eves)
    assert number_for_texts(eve) == "+436640000000"
    eves.post(VERIFY, {"code": code_in(texts)})
    assert Phone.objects.get().number == NUMBER
    assert TextConsent.objects.get().ended_by == TextConsent.EndedBy.CHANGED
    assert number_for_texts(eve) is None


def test_the_number_one_has_is_not_verified_again(eves: Client, eve: User) -> None:
    give_phone(eve, NUMBER)
    assert "This is your number already." in eves.post(CHANGE, {"phone": NUMBER}).content.decode()
    assert not Message.objects.exists()


def test_a_number_is_removed_with_its_consent(eves: Client, eve: User) -> None:
    give_phone(eve, NUMBER)
    assert eves.post(REMOVE)["Location"] == "/expert/settings/reach/"
    assert not Phone.objects.exists()
    assert TextConsent.objects.get().ended_by == TextConsent.EndedBy.CHANGED
    assert eves.post(REMOVE).status_code == 302


def test_a_second_code_to_the_same_number_waits(eves: Client) -> None:
    ask_for_code(eves)
    answer = eves.post(CHANGE, {"phone": NUMBER})
    assert answer.status_code == 422
    assert "a moment ago" in answer.content.decode()
    assert Message.objects.count() == 1


def test_one_person_does_not_have_several_numbers_texted_at_once(eves: Client) -> None:
    ask_for_code(eves)
    answer = eves.post(CHANGE, {"phone": "+436641234568"})
    assert answer.status_code == 422
    assert "Too many codes were asked for from here. Try again in a minute." in answer.content.decode()
    assert "a moment ago" not in answer.content.decode(), "that number was never texted"
    assert Message.objects.count() == 1


def test_a_new_code_is_sent_on_asking_and_the_old_one_is_void(eves: Client, texts: pytest.LogCaptureFixture) -> None:
    ask_for_code(eves)
    old = code_in(texts)
    cache.clear()  # half a minute later
    assert eves.post(VERIFY, {"action": "resend"}).status_code == 302
    new = code_in(texts)
    assert new != old
    assert eves.post(VERIFY, {"code": old}).status_code == 422
    assert eves.post(VERIFY, {"code": new}).status_code == 302


def test_one_person_gets_so_many_codes_a_day(eve: User) -> None:
    for index in range(phones.CODES_A_DAY):
        phones.send_code(user=eve, number=f"+4366412345{index:02d}", code="123456")
    with pytest.raises(Refused, match="many codes today"):
        phones.send_code(user=eve, number=NUMBER, code="123456")
    assert Message.objects.count() == phones.CODES_A_DAY


def test_two_codes_asked_for_at_the_same_moment_are_one(eve: User) -> None:
    other = Message.objects.create(
        key=f"code:{eve.pk}:{timezone.now():%Y-%m-%d}:1", to=eve, way=Message.Way.TEXT, purpose=Message.Purpose.CODE
    )
    with pytest.raises(Refused, match="on its way already"):
        phones.send_code(user=eve, number=NUMBER, code="123456")
    assert Message.objects.get() == other


@pytest.mark.parametrize("address", [CHANGE, VERIFY])
def test_numbers_and_codes_are_not_tried_out(eves: Client, address: str) -> None:
    answers = [eves.post(address, {"phone": "1", "code": "000000"}) for _ in range(21)]
    assert [answer.status_code == 429 for answer in answers] == [False] * 20 + [True]
    assert "Try again in 1 hour" in answers[-1].content.decode()
    assert 3500 < int(answers[-1]["Retry-After"]) <= 3600


def refuses(twilio: TwilioStandIn) -> None:
    twilio.refuse_next(status=400, code=21211, message="Invalid 'To' Phone Number")


def is_throttled(twilio: TwilioStandIn) -> None:
    twilio.refuse_next(status=429)


def loses_the_answer(twilio: TwilioStandIn) -> None:
    twilio.lose_answer("/Messages")


@pytest.mark.parametrize(
    ("provider", "said"),
    [
        (refuses, "This number does not take our texts."),
        (is_throttled, "We could not text you just now."),
        (loses_the_answer, "We could not text you just now."),
    ],
)
def test_a_code_that_does_not_go_out_is_said_at_the_field(
    eves: Client, twilio_peer: TwilioStandIn, provider: Callable[[TwilioStandIn], None], said: str
) -> None:
    provider(twilio_peer)
    page = eves.post(CHANGE, {"phone": NUMBER})
    assert page.status_code == 422
    assert said in page.context["form"].errors["phone"][0]
    assert Message.objects.exclude(state__in=["waiting", "sending"]).count() == 1
    assert eves.get(VERIFY).status_code == 302


def test_the_code_one_has_goes_on_working_when_a_new_one_does_not_go_out(eves: Client, twilio_peer: TwilioStandIn) -> None:
    ask_for_code(eves)
    [(_, text)] = twilio_peer.sent()
    code = re.findall(r"\b[0-9]{6}\b", text)[0]
    cache.clear()
    is_throttled(twilio_peer)
    assert "We could not text you just now." in eves.post(VERIFY, {"action": "resend"}, follow=True).content.decode()
    assert eves.post(VERIFY, {"code": code}).status_code == 302
    assert Phone.objects.get().number == NUMBER


def test_somebody_who_is_no_expert_comes_back_to_the_number(
    client: Client, alice: User, texts: pytest.LogCaptureFixture
) -> None:
    client.force_login(alice)
    ask_for_code(client)
    answer = client.post(VERIFY, {"code": code_in(texts)}, follow=True)
    assert answer.redirect_chain[-1][0] == CHANGE
    assert NUMBER in answer.content.decode()


def test_a_number_is_sent_so_many_codes_a_day_whoever_asks(eve: User, erin: User) -> None:
    for n in range(phones.CODES_A_DAY):
        Message.objects.create(key=f"code:{n}", to=eve, way="text", purpose="code", address=NUMBER, state="sent")
    with pytest.raises(Refused, match="This number was sent many codes today"):
        phones.send_code(user=erin, number=NUMBER, code="123456")
