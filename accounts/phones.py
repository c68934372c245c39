"""A person's phone number: written as people write it, proven by a code, changed and removed."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts import outbox
from accounts.consent import end_consent, give_consent
from accounts.experts import refresh_boards
from accounts.models import Message, Phone, TextConsent, User
from hopps.errors import Refused
from hopps.sending import NotTaken

# What a person agrees to, word for word; each consent keeps the words it was given in.
CONSENT_WORDING = (
    "Text me when somebody needs help in my topics: at most one text for each request, and none outside my hours. "
    "I can end this at any time by answering STOP. My carrier's rates apply."
)
# Codes cost money: so many go out to one person in a day (UTC).
CODES_A_DAY = 10
# As in ACCOUNT_RATE_LIMITS: so long after a code the next one may be asked for.
CODE_EVERY = timedelta(seconds=30)

WRONG_NUMBER = "Write the number with its country code, such as +43 664 1234567."
TAKEN = "This number belongs to another account. Remove it there first, or use another number."
NOT_NOW = "We could not text you just now. Wait a minute, then ask for a new code."

_PUNCTUATION = re.compile(r"[\s().\-/\u00ad\u200b-\u200f\u202a-\u202e\u2010-\u2015\u2060-\u2069]")
# A number with its country code.
E164 = re.compile(r"\+[1-9][0-9]{6,14}")


def normalise(written: str) -> str:
    """Return a number as E.164, such as +436641234567, from the ways people write it.

    Raises:
        Refused: no number with a country code can be read from it.
    """
    # "+43 (0) 664": the zero is dialled at home only.
    number = _PUNCTUATION.sub("", written.replace("(0)", ""))
    if number.startswith("00"):
        number = f"+{number[2:]}"
    if not E164.fullmatch(number):
        raise Refused(WRONG_NUMBER)
    return number


def owner_of(number: str) -> User | None:
    """Return whose verified number this is (E.164), if anybody's."""
    phone = Phone.objects.filter(number=number).select_related("user").first()
    return phone.user if phone else None


def send_code(*, user: User, number: str, code: str) -> None:
    """Text `code` to `number` (E.164), at once: the person is waiting for it.

    Raises:
        Refused: it did not go out, the number takes no texts, or the person asked for too many codes today.
    """
    day = f"code:{user.pk}:{timezone.now():%Y-%m-%d}:"
    asked = Message.objects.filter(key__startswith=day)
    if asked.exclude(state=Message.State.FAILED).count() >= CODES_A_DAY:
        raise Refused("You asked for many codes today. Try again tomorrow, or use a number that works now.")
    texted = Message.objects.filter(address=number, purpose=Message.Purpose.CODE)
    lately = texted.filter(created_at__gt=timezone.now() - timedelta(days=1)).exclude(state=Message.State.FAILED)
    if lately.count() >= CODES_A_DAY:
        raise Refused("This number was sent many codes today. Try again tomorrow, or use another number.")
    message = outbox.write(
        key=f"{day}{asked.count()}", to=user, way=Message.Way.TEXT, purpose=Message.Purpose.CODE, address=number
    )
    if message is None:
        raise Refused("A code is on its way already. Wait a moment.")
    text = "Hopps: {} is your code to verify this number. It works for 15 minutes. Nobody of ours asks you for it."
    words = outbox.Words(title="", text=text.format(code), url="", tag="")
    try:
        message = outbox.send(message, words, kept_text=text.format("(code)"))
    except NotTaken as problem:
        outbox.give_up(message)
        raise Refused(NOT_NOW) from problem
    if message.state == Message.State.REFUSED:
        raise Refused(
            "This number does not take our texts. Check it. If you once answered STOP to us, text START to the number "
            "those came from, then ask for a new code."
        )
    if message.state != Message.State.SENT:
        raise Refused(NOT_NOW)


def code_was_sent(*, user: User, number: str) -> bool:
    """Return whether `user` had a code texted to `number` (E.164) within CODE_EVERY."""
    codes = Message.objects.filter(to=user, purpose=Message.Purpose.CODE, address=number)
    return codes.filter(sent_at__gt=timezone.now() - CODE_EVERY).exists()


def verify(*, user: User, number: str, wording: str = "") -> None:
    """Keep `number` (E.164) as the one and only of `user`, who typed the code sent there.

    Args:
        wording: the words in which they agreed to texts at it; empty where they did not.

    Raises:
        Refused: somebody else verified it meanwhile.
    """
    old = Phone.objects.filter(user=user).values_list("number", flat=True).first()
    try:
        with transaction.atomic():
            changed = Phone.objects.filter(user=user).update(number=number, verified_at=timezone.now())
            if not changed:
                Phone.objects.create(user=user, number=number)
    except IntegrityError as problem:
        # Verified twice at the same moment by the same person is once.
        if not Phone.objects.filter(user=user, number=number).exists():
            raise Refused(TAKEN) from problem
    if old is not None and old != number:
        end_consent(number=old, by=TextConsent.EndedBy.CHANGED, user=user)
    if wording:
        give_consent(user=user, number=number, wording=wording)
    refresh_boards(user.pk)


def remove(*, user: User) -> bool:
    """Forget the number of `user`, and end the consent to texts at it; return whether there was one."""
    phone = Phone.objects.filter(user=user).first()
    if phone is None:
        return False
    end_consent(number=phone.number, by=TextConsent.EndedBy.CHANGED, user=user)
    Phone.objects.filter(pk=phone.pk).delete()
    refresh_boards(user.pk)
    return True


def agree(*, user: User) -> None:
    """Write down that `user` agrees, now, to texts at their verified number, in today's words.

    Raises:
        Refused: there is no verified number.
    """
    phone = Phone.objects.filter(user=user).first()
    if phone is None:
        raise Refused("Verify your phone number first: then we know where to text you.")
    give_consent(user=user, number=phone.number, wording=CONSENT_WORDING)
    refresh_boards(user.pk)


def disagree(*, user: User) -> bool:
    """End the consent of `user` to texts at their number; return whether there was one."""
    phone = Phone.objects.filter(user=user).first()
    return phone is not None and end_consent(number=phone.number, by=TextConsent.EndedBy.PERSON, user=user)


@dataclass(frozen=True)
class PhoneNow:
    """How a person's phone stands."""

    number: str
    verified_at: datetime
    consent: TextConsent | None
    """The latest consent at this number, running or ended."""

    @property
    def takes_texts(self) -> bool:
        """Whether the person agrees, now, to texts at this number."""
        return self.consent is not None and self.consent.ended_at is None


def phone_now(user: User) -> PhoneNow | None:
    """Return how the phone of `user` stands, or None where there is no verified number."""
    phone = Phone.objects.filter(user=user).first()
    if phone is None:
        return None
    consent = TextConsent.objects.filter(user=user, number=phone.number).order_by("-given_at").first()
    return PhoneNow(number=phone.number, verified_at=phone.verified_at, consent=consent)
