"""What nobody must read in a log, taken out of any text: `without_secrets`.

It is the last line of defence. The first is not to log such things at all: what people write to each other and what they ask
for is in no line of ours, and has no shape to know it by.
"""

import re
from collections.abc import Callable
from urllib.parse import quote, urlsplit

from hopps import env

SECRET = "(secret)"  # noqa: S105  it is what stands in place of one
# A secret of ours that is shorter could be a word like any other.
LEAST_OWN = 8
# A line is read so often at the most. Most have nothing in them, and are read once.
MOST_PASSES = 5

# Settings, headers, fields of forms and of JSON: what they hold is secret whatever it looks like.
_NAMES = (
    r"[\w-]{0,40}(?:token|secret|passw(?:or)?d|passphrase|authorization|signature|(?:api|access|private|secret|backup|session)_?key"
    r"|access_key_id|sessionid|cookie|credential|cvc2?|cvv2?|otp|recovery_?codes?|p256dh|attestation_?object|client_?data(?:_?json)?"
    r"|authenticator_?data)s?"
)
# Between a name and what it holds, as code, headers, addresses and JSON write it: NAME=, "NAME": , ('NAME', '…'), NAME => .
_HOLDS = r"[\"']?\]?\s?(?:=>|[=:]|(?<=[\"']),)\s?"

_Instead = str | Callable[["re.Match[str]"], str]


def _card(found: "re.Match[str]") -> str:
    """Return what stands in place of digits that may be a card's: they are where Luhn's sum ends in 0 (ISO/IEC 7812-1)."""
    digits = [int(letter) for letter in re.sub(r"%20|[ +-]", "", found[0])]
    doubled = [2 * digit - 9 * (digit > 4) for digit in digits[-2::-2]]
    return "(card number)" if (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0 else found[0]


_HIDDEN: tuple[tuple["re.Pattern[str]", _Instead], ...] = (
    # PostgreSQL shows the whole row that it did not take, with all that people wrote into it.
    (
        re.compile(r"(DETAIL:\s+Failing row contains ).*?(?=\n\n(?:The above exception|During handling)|\Z)", re.DOTALL),
        rf"\1{SECRET}",
    ),
    # The address of a database or of Redis.
    (re.compile(r"(?<=://)[^/\s@]{0,200}:[^/\s@]{0,200}@"), f"{SECRET}@"),
    # What an authenticator app scans.
    (re.compile(r"otpauth://[^\s\"'<>]+"), SECRET),
    # All cookies of a header.
    (re.compile(rf"(?i)\b((?:set-)?cookie{_HOLDS})b?[\"']?[^\r\n\"']+"), rf"\1{SECRET}"),
    (re.compile(r"(?i)\b(bearer|basic) [\w.~+/=-]{6,}"), rf"\1 {SECRET}"),
    # Held by its name: between quotation marks all of it, otherwise a word.
    (re.compile(rf"(?i)\b({_NAMES}{_HOLDS}b?)(?:\"(?!\(secret\))[^\"\n]+\"|'(?!\(secret\))[^'\n]+')"), rf'\1"{SECRET}"'),
    (re.compile(rf"(?i)\b({_NAMES}{_HOLDS})(?!b?[\"'(\[{{])(?:[^\s\"'&,;)\]}}]{{6,}}|\d{{3,}})"), rf"\1{SECRET}"),
    # Codes of mails and texts, and what a provider sends people back with.
    (re.compile(r"\b((?i:codes?)\b[\"']?\]?(?:\s?[=:]\s?|\s(?:is\s)?)[\"']?)[A-Z0-9]{3,}-?[A-Z0-9]{3,}\b"), rf"\1{SECRET}"),
    (re.compile(r"(?i)([?&](?:code|state|key|sig|nonce)=)[^&\s\"'#]{6,}"), rf"\1{SECRET}"),
    # Stripe's keys, and what it gives to a page; JWTs, a room's grants among them; a key of Amazon's.
    (re.compile(r"\b(sk|rk|whsec)_(live_|test_)?[A-Za-z0-9]{8,}"), rf"\1_{SECRET}"),
    (re.compile(r"_secret_\w{6,}"), f"_secret_{SECRET}"),
    (re.compile(r"\beyJ[\w-]{8,}\.[\w-]+\.[\w-]+"), SECRET),
    (re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"), SECRET),
    # What opens backups.
    (re.compile(r"AGE-SECRET-KEY-\w+"), SECRET),
    # Addresses of pages that open doors.
    (re.compile(r"(/(?:reset/key|confirm-email)/)[^/\s\"']+"), rf"\1{SECRET}"),
    # Of people.
    (re.compile(r"[\w.%+-]{1,64}(?:@|%40)[\w-]+(?:\.[\w-]+)+"), "(mail address)"),
    # As numbers are stored, E.164, also as people write them, and where the + was written as %2B.
    (re.compile(r"(?:\+|%2B)[1-9](?:(?:%20|[ ().-]){0,2}[0-9]){6,14}\b"), "(phone number)"),
    (re.compile(r"(?<![A-Za-z0-9_.])(?<!\d-)[2-6]\d{3}(?:(?:%20|[ +-])?\d){9,15}(?![A-Za-z0-9_])(?!-\d)"), _card),
)


def without_secrets(text: str) -> str:
    """Return `text` without the secrets of our settings, mail addresses, phone and card numbers, and what opens doors."""
    for own in _own():
        text = text.replace(own, SECRET)
    # What stands in place of one secret may show another for what it is: until nothing more is found.
    for _ in range(MOST_PASSES):
        before = text
        for what, instead in _HIDDEN:
            text = what.sub(instead, text)
        if text == before:
            break
    return text


def _own() -> list[str]:
    """Return the secrets that were read from the environment, as they are and as addresses have them; the longest first."""
    found = {own for own in env.secrets_read if len(own) >= LEAST_OWN}
    found |= {password for own in found if "://" in own and (password := _password(own)) and len(password) >= LEAST_OWN}
    return sorted(found | {quote(own, safe="") for own in found}, key=len, reverse=True)


def _password(address: str) -> str | None:
    try:
        return urlsplit(address).password
    except ValueError:
        return None
