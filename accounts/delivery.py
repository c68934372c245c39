"""What became of texts: asked of who sent them, whatever order news comes in; and what people answer to them.

A callback only says where to look (decision 0006): how the text stands is asked, so an old one brings no old state.
"""

import re
from datetime import datetime, timedelta

from django.db.models import Q

from accounts.consent import end_consent
from accounts.models import Message, TextConsent
from accounts.phones import E164
from hopps import sms
from hopps.each import shuffled
from hopps.sms.base import Report

State = Message.State

# Who can be asked what became of a text, and what it cost.
TELL = ("twilio",)
# A job for a callback has asked by then; a text on its way for longer than a day is not coming.
QUIET, ASKED_FOR = timedelta(minutes=10), timedelta(days=1)
# So many are asked about in one go.
AT_ONCE = 200

# What ends the texts, as the whole answer. START begins none: consent is given on the settings page only.
STOP_WORDS = frozenset(
    ["STOP", "STOPALL", "STOPP", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT", "ARRET", "ARRÊT", "ABMELDEN"]
)

_ENDS = {"delivered": State.DELIVERED, "refused": State.REFUSED, "failed": State.FAILED}


def find(*, gateway: str, ref: str) -> Message | None:
    """Return the text that `gateway` calls `ref`, or None: another's, or one whose row has not heard its name yet."""
    return Message.objects.filter(gateway=gateway, gateway_ref=ref, way=Message.Way.TEXT).first()


def look_into(message: Message) -> bool:
    """Ask what became of a text and what it cost, and write it down. Safe to repeat, and from two places at once.

    Returns:
        Whether nothing more is to be learned of it: it is over and its price is known, or its sender does not tell.

    Raises:
        NotTaken: the sender does not answer now.
    """
    report = sms.sender(message.gateway).report(message.gateway_ref)
    if report is None:
        return True
    if report.unsubscribed:
        # First: a process may die in between. What was agreed to after this text stands: the refusal knows nothing of it.
        end_consent(number=message.address, by=TextConsent.EndedBy.CARRIER, given_before=message.created_at)
    _write_outcome(message, report)
    if report.cost_micros is not None:
        unpriced = Message.objects.filter(pk=message.pk, cost_micros=None)
        unpriced.update(cost_micros=report.cost_micros, cost_currency=report.cost_currency[:3])
    return report.state != "underway" and report.cost_micros is not None


def _write_outcome(message: Message, report: Report) -> None:
    """The first end is the end: what comes later, or again, changes nothing."""
    if report.state == "underway":
        return
    sent = Message.objects.filter(pk=message.pk, state=State.SENT)
    sent.update(state=_ENDS[report.state], problem=report.problem[:300])


def unreported(now: datetime) -> list[Message]:
    """Return texts nobody reported on, or told the price of, at `now` (UTC): their callback was lost, or comes late."""
    over = Q(state__in=(State.DELIVERED, State.REFUSED, State.FAILED), cost_micros=None)
    texts = Message.objects.filter(Q(state=State.SENT) | over, way=Message.Way.TEXT, gateway__in=TELL)
    # Where there are more, not the same ones are left out each time.
    some = shuffled(texts.filter(sent_at__range=(now - ASKED_FOR, now - QUIET)).values_list("pk", flat=True))[:AT_ONCE]
    return list(Message.objects.filter(pk__in=some))


def heard(*, number: str, words: str, meant: str = "") -> bool:
    """Hear what somebody answered to a text: STOP ends consent at that number.

    Args:
        number: whose answer it is, in E.164; anything else is nobody's.
        words: the answer.
        meant: what the provider made of it, such as "STOP" or "HELP"; empty where it does not say.

    Returns:
        Whether a consent ended by it.
    """
    if not E164.fullmatch(number) or not _says_stop(words, meant):
        return False
    return end_consent(number=number, by=TextConsent.EndedBy.STOP)


def _says_stop(words: str, meant: str) -> bool:
    if meant:
        return meant.upper() == "STOP"
    said = re.sub(r"[^\w\s]", "", words).upper().split()
    return said[:1] == ["STOP"] or "".join(said) in STOP_WORDS
