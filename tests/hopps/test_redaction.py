"""What is taken out of every line of the log, and what is not."""

import logging
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hopps import env
from hopps.redaction import without_secrets

# Numbers that banks give out for trying cards, none of them anybody's.
CARDS = ["4242424242424242", "5555 5555 5555 4444", "3782-822463-10005", "30569309025904", "4242%204242%204242%204242"]
NUMBERS = ["+41791234567", "+41 79 123 45 67", "%2B41791234567", "+1 (415) 555-0132", "+44-20-7946-0958"]


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("no account for cleo.demo+1@mail.example.org here", "no account for (mail address) here"),
        ("GET /people/?q=cleo%40example.org", "GET /people/?q=(mail address)"),
        ("zoë@exämple.org bounced", "(mail address) bounced"),
        ("Key (email)=(cleo@example.org) already exists.", "Key (email)=((mail address)) already exists."),
        *((f"Text to {number}: taken", "Text to (phone number): taken") for number in NUMBERS),
        *((f"typed {card}, and then", "typed (card number), and then") for card in CARDS),
        ("cannot reach postgresql://hopps:s3cret@db:5432/hopps", "cannot reach postgresql://(secret)@db:5432/hopps"),
        ("cannot reach redis://:s3cret@redis:6379/0", "cannot reach redis://(secret)@redis:6379/0"),
        ("Authorization: Bearer abc.def-123456", "Authorization: (secret) (secret)"),
        ("asked with bearer abc.def-123456", "asked with bearer (secret)"),
        ('{"password": "correct horse, battery"}', '{"password": "(secret)"}'),
        ("{'password1': ['correct horse']}", "{'password1': ['correct horse']}"),
        ("password=correct-horse&next=/", "password=(secret)&next=/"),
        ("cvc=123 exp=12/30", "cvc=(secret) exp=12/30"),
        ('"cvv": "987"', '"cvv": "(secret)"'),
        ("Cookie: sessionid=abc123def456; csrftoken=xyz789", "Cookie: (secret)"),
        ("Set-Cookie: sessionid=abc123def456; Path=/", "Set-Cookie: (secret)"),
        ("[(b'cookie', b'sessionid=abc123def456')]", "[(b'cookie', (secret)')]"),
        ("csrfmiddlewaretoken=abcdefgh", "csrfmiddlewaretoken=(secret)"),
        ("AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG", "AWS_SECRET_ACCESS_KEY=(secret)"),
        ("signed by AKIAIOSFODNN7EXAMPLE", "signed by (secret)"),
        ("TWILIO_AUTH_TOKEN: 0123456789abcdef", "TWILIO_AUTH_TOKEN: (secret)"),
        ("Your code is K7QX-2M9P.", "Your code is (secret)."),
        ('{"code": "123456"}', '{"code": "(secret)"}'),
        ("/login/callback/?code=4/0AX4XfWh&state=Zm9vYmFy", "/login/callback/?code=(secret)&state=(secret)"),
        ("scan otpauth://totp/Hopps:cleo?secret=JBSWY3DP", "scan (secret)"),
        ("recovery_codes: '1a2b3c4d 5e6f7a8b'", 'recovery_codes: "(secret)"'),
        ('{"attestationObject": "o2NmbXRk"}', '{"attestationObject": "(secret)"}'),
        ('{"clientDataJSON": "eyJ0eXBl"}', '{"clientDataJSON": "(secret)"}'),
        ("{'p256dh': 'BNcRdreA', 'auth': 'tBHItJI5'}", "{'p256dh': \"(secret)\", 'auth': 'tBHItJI5'}"),
        ('{"username": "1764230000:c", "credential": "vBx3"}', '{"username": "1764230000:c", "credential": "(secret)"}'),
        ("No such key: sk_live_4eC39HqLyjWDarjtT1zdp7dc", "No such key: sk_(secret)"),
        ("pi_3abc_secret_9XyZabcdef failed", "pi_3abc_secret_(secret) failed"),
        ("Stripe-Signature: t=1,v1=5257a869", "Stripe-Signature: t=1,v1=5257a869"),
        ("BACKUP_KEY AGE-SECRET-KEY-1QQPZRY9X8GF2TVDW0S is no key", "BACKUP_KEY (secret) is no key"),
        ("grant eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOi.c2lnbmF0dXJl refused", "grant (secret) refused"),
        ("Error: /accounts/password/reset/key/2-cx1abc-99ff/", "Error: /accounts/password/reset/key/(secret)/"),
        ("Error: /accounts/confirm-email/MQ:1abc:99ff/", "Error: /accounts/confirm-email/(secret)/"),
        (
            "null value violates not-null\nDETAIL:  Failing row contains (1, my words,\nand more).\n\nDuring handling of",
            "null value violates not-null\nDETAIL:  Failing row contains (secret)\n\nDuring handling of",
        ),
    ],
)  # fmt: skip
def test_it_says_nothing_that_is_not_for_everybody(said: str, kept: str) -> None:
    assert without_secrets(said) == kept


@pytest.mark.parametrize(
    "said",
    [
        "Session 3f0c7d1e-8a52-4f62-9a4e-1d2c3b4a5f60 could not be looked after; the others are: timed out",
        "At 2026-11-27T07:53:37.225Z: 1234567890 bytes, +12 %",
        "The channel layer is out of reach; trying again",
        "Twilio answered 21610, exit code 137, status code: 503, code=card_declined",
        # Milliseconds since 1970, sixteen digits that are no card's, and the commit of a release.
        "job 0123456789abcdef.1764230000123.00ff at 4242424242424241 of 8abe432f0c7d1e8a524f629a4e1d2c3b4a5f6012",
        "Payment 22222222-2222-4222-8222-222222222222: the bank did not take 1250 of it",
        "https://api.stripe.com:443 answered in 0.3 s",
        'File "/srv/hopps/billing/holds.py", line 274, in place',
    ],
)
def test_it_says_everything_else(said: str) -> None:
    assert without_secrets(said) == said


@given(st.lists(st.text("abcdefghijklmnopqrstuvwxyzäöüéABCXYZ.,;!?()-/\n", min_size=1, max_size=30), max_size=20))
def test_ordinary_words_stay(words: list[str]) -> None:
    assert without_secrets(" ".join(words)) == " ".join(words)


@given(
    st.text()
    | st.lists(
        st.sampled_from([*CARDS, *NUMBERS, "a@b.cd", "token", "code", "=", ":", "'", '"', " ", "ABC123", "Bearer x1y2z3"])
    ).map("".join)
)
@example("Authorization: Basic QWxhZGRpbjpvcGVu")
@example("TOKEN::2222 222222224444")
def test_what_was_taken_out_once_stays_as_it_is(text: str) -> None:
    once = without_secrets(text)

    assert without_secrets(once) == once


@given(
    st.sampled_from([*CARDS, *NUMBERS]),
    st.text(" \n,;:|<>(){}[]'\"", max_size=3),
    st.text(" \n,;:|<>(){}[]'\"", min_size=1, max_size=3),
)
def test_numbers_are_found_whatever_stands_around_them(number: str, before: str, after: str) -> None:
    assert number not in without_secrets(f"x{before} {number}{after}x")


def test_our_own_secrets_are_found_wherever_they_stand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(env, "secrets_read", set())
    monkeypatch.setenv("HOPPS_TEST", "no shape / to know it by")
    monkeypatch.setenv("HOPPS_TEST_URL", "mongodb://hopps:hunter2hunter2@db/hopps")
    monkeypatch.setenv("HOPPS_TEST_SHORT", "token")
    for name in ("HOPPS_TEST", "HOPPS_TEST_URL", "HOPPS_TEST_SHORT"):
        env.secret(name)

    said = "no shape / to know it by; no%20shape%20%2F%20to%20know%20it%20by; hunter2hunter2; a token"
    assert without_secrets(said) == "(secret); (secret); (secret); a token"


def test_a_long_line_takes_no_longer_than_it_must() -> None:
    began = time.process_time()
    for letters in ("a", "a-", "1", "+1 ", "a.", "://:", "token", "@", "%40", "eyJ", "'token', "):
        without_secrets(letters * (20_000 // len(letters)))
    assert time.process_time() - began < 5


def test_what_other_libraries_tell_of_requests_is_not_written_whatever_the_level() -> None:
    for name in (
        "stripe",
        "twilio.http_client",
        "botocore",
        "urllib3",
        "huey",
        "django.db.backends",
        "allauth",
        "websockets",
        "asyncio",
    ):
        assert not logging.getLogger(name).isEnabledFor(logging.INFO), name
    assert logging.getLogger("hopps.anything").isEnabledFor(logging.INFO)
