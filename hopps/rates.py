"""How often somebody may do what: one table, with why. Nobody honest should ever meet any of it.

Each rate is one person's; the address they come from has it `people` times, as many share one: an office, a phone network.
A rate is written as people say it: "20/hour", or several at once: "5/minute; 20/hour". Where it is counted: hopps.limits.
"""

from dataclasses import dataclass
from enum import StrEnum

from limits import RateLimitItem, parse_many

from hopps import env

# Tests and benchmarks do in a minute, from one address, what people do in a week.
TIMES = env.number("LIMITS_TIMES", 1, least=1)


class Limit(StrEnum):
    """What is counted."""

    ASK = "ask"
    DECLINED = "declined"
    CARD = "card"
    ACCEPT = "accept"
    CANCEL = "cancel"
    CHAT = "chat"
    FILE = "file"
    PHOTO = "photo"
    REPORT = "report"
    DATA = "data"
    TEST = "test"
    CONNECT = "connect"


@dataclass(frozen=True)
class Rate:
    """How often, and what whoever met it is told first; when to try again comes after it."""

    rate: str
    people: int
    sentence: str

    def of_person(self) -> list[RateLimitItem]:
        """Return what one person may do."""
        return _times(self.rate, TIMES)

    def of_address(self) -> list[RateLimitItem]:
        """Return what all who come from one address may do together."""
        return _times(self.rate, TIMES * self.people)


def _times(rate: str, times: int) -> list[RateLimitItem]:
    return [type(item)(item.amount * times, item.multiples) for item in parse_many(rate)]


LIMITS = {
    # Each request reserves money and chimes at experts. A customer who cancels and asks again a few times is no flood.
    Limit.ASK: Rate(env.rate("LIMIT_ASK", "20/hour"), 5, "You have asked for help very often."),
    # Stolen card numbers are tried out wherever a card's no is quick. People have a handful of cards, most of them good.
    Limit.DECLINED: Rate(env.rate("LIMIT_DECLINED", "8/hour"), 2, "Cards were declined here again and again."),
    # The same by another door; and each page at the processor's is a call to it.
    Limit.CARD: Rate(env.rate("LIMIT_CARD", "10/hour"), 3, "You have added cards very often."),
    # An expert in a lively topic comes second often, and tries the next.
    Limit.ACCEPT: Rate(env.rate("LIMIT_ACCEPT", "30/minute"), 5, "You have accepted very often."),
    # Cancelling, giving back, passing on. What is held must come free, so it is far more than asking allows.
    Limit.CANCEL: Rate(env.rate("LIMIT_CANCEL", "60/hour"), 5, "You have called off or given back very often."),
    # A person types one line in a second or two; a page sends what waited for the line all at once.
    Limit.CHAT: Rate(env.rate("LIMIT_CHAT", "60/minute"), 5, "You are writing very fast."),
    # A chat takes 50 files in all (sessions_app.files).
    Limit.FILE: Rate(env.rate("LIMIT_FILE", "100/hour"), 5, "You have sent many files."),
    Limit.PHOTO: Rate(env.rate("LIMIT_PHOTO", "20/hour"), 5, "You have changed your photo very often."),
    # Each is a mail to operators, and somebody who reads it.
    Limit.REPORT: Rate(env.rate("LIMIT_REPORT", "10/hour"), 5, "You have reported very often."),
    # All of one's data takes a while to put together.
    Limit.DATA: Rate(env.rate("LIMIT_DATA", "5/hour"), 5, "You have downloaded your data several times."),
    # Each may be a text that costs money, to a phone that may be somebody else's by now.
    Limit.TEST: Rate(env.rate("LIMIT_TEST", "10/hour"), 3, "You have sent many tests."),
    # Of pages' lines, at one process. A page whose network flaps comes back every few seconds; an office has many pages.
    Limit.CONNECT: Rate(env.rate("LIMIT_CONNECT", "120/minute"), 10, "Your pages connect very often."),
}

# --- allauth's own: "key" is a mail address or phone number, "user" a person, "ip" an address ----------------------------

_SIGN_IN = env.rate("LIMIT_SIGN_IN", "30/minute; 200/hour")
_SIGN_UP = env.rate("LIMIT_SIGN_UP", "10/minute; 40/hour")
_CODES = env.rate("LIMIT_CODES", "10/minute; 60/hour")


def _of_address(rate: str) -> str:
    return ",".join(f"{item.amount}/{item.get_expiry()}s/ip" for item in _times(rate, TIMES))


ACCOUNT = {
    # Forms sent from one address, typing mistakes included: a class or an office signs in within a few minutes.
    "login": _of_address(_SIGN_IN),
    "signup": _of_address(_SIGN_UP),
    # Wrong passwords: for one account from one address, so that nobody locks the account of somebody elsewhere
    # (accounts.sign_in.guessing); the same rate counts wrong second factors, by account, where the password was right.
    "login_failed": f"5/5m/key,{_of_address('60/hour')}",
    # For one account from everywhere but the browsers it is known in: guessing from a thousand addresses is slow too.
    "login_failed_anywhere": "50/h/key",
    # Mails to one address: somebody else's, maybe. One every ten seconds, because the first is often typed wrong.
    "confirm_email": f"1/10s/key,10/h/key,{_of_address(_CODES)}",
    "reset_password": f"5/h/key,{_of_address(_CODES)}",
    # Beside that, the browsers the account is known in have counts of their own (accounts.forms.sign_in).
    "request_login_code": f"3/m/key,10/h/key,{_of_address(_CODES)}",
    # Whoever has the mail's link.
    "reset_password_from_key": _of_address(_CODES),
    # Of somebody signed in: an unlocked computer is no place to guess its owner's password.
    "reauthenticate": "10/m/user",
    "change_password": "5/m/user",
    "manage_email": "10/m/user,40/h/user",
    # Numbers: a form posted, typing mistakes included; codes tried; codes texted, which cost money (CODES_A_DAY too).
    "change_phone": "20/h/user",
    "phone_code": "20/h/user",
    "verify_phone": f"1/30s/key,1/30s/user,{_of_address('3/minute')}",
}
# A passkey is no secret that can be guessed.
MFA = {"webauthn_login": _of_address(_SIGN_IN)}
