"""Messages to people: written down first, sent once, their outcome kept."""

import smtplib
from dataclasses import dataclass
from typing import Any, assert_never
from uuid import UUID

from django.core.mail import EmailMessage, get_connection
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.consent import end_consent
from accounts.models import Message, TextConsent, User
from accounts.push import push_to
from hopps import sms
from hopps.push import Notification
from hopps.sending import InDoubt, NotTaken, Taken, TurnedDown

Way, State = Message.Way, Message.State


@dataclass(frozen=True)
class Words:
    """What a message says."""

    title: str
    """A mail's subject, a notification's first line; a text has none."""
    text: str
    url: str
    """Where a click on the notification leads."""
    tag: str
    """Names the notification."""
    ttl: int = 600
    """Seconds for which a notification is worth bringing."""


def write(
    *, key: str, to: User, way: Message.Way, purpose: Message.Purpose, address: str = "", reference: UUID | None = None
) -> Message | None:
    """Write down a message that is to be sent; None where one of this key was written before.

    Args:
        key: what it is about, to whom and how: whatever has the same key is the same message.
        address: the number or mail address.
        reference: the id of what it is about.
    """
    now = timezone.now()
    return _insert(
        key=key, to=to, way=way, purpose=purpose, address=address, reference=reference, state=State.WAITING, created_at=now
    )


def write_sent(*, key: str, to: User, way: Message.Way, purpose: Message.Purpose, reference: UUID) -> None:
    """Write down what reached the person without being sent from here: a chime on an open board. Told twice, kept once."""
    now = timezone.now()
    _insert(key=key, to=to, way=way, purpose=purpose, reference=reference, state=State.SENT, created_at=now, sent_at=now)


def _insert(**values: Any) -> Message | None:
    try:
        with transaction.atomic():
            return Message.objects.create(**values)
    except IntegrityError:
        return None


def send(message: Message, words: Words, *, kept_text: str | None = None) -> Message:
    """Ask the sender of the message's way, once, and keep the outcome. Whoever comes second finds it done.

    A process killed between here and the sender's answer leaves it SENDING: the sweep calls that in doubt, and it is
    not sent again.

    Args:
        message: WAITING, as `write` made it.
        words: what it says.
        kept_text: what the row keeps in their place, where it must not keep the words themselves.

    Returns:
        The message as it stands now.

    Raises:
        NotTaken: certainly not sent; the message waits again.
    """
    waiting = Message.objects.filter(pk=message.pk, state=State.WAITING)
    text = words.text if kept_text is None else kept_text
    if waiting.update(state=State.SENDING, began_at=timezone.now(), text=text[:1000]):
        _keep(message, _ask(message, words))
    message.refresh_from_db()
    return message


def _ask(message: Message, words: Words) -> Taken | TurnedDown | InDoubt:
    try:
        match message.way:
            case Way.TEXT:
                return sms.sender().send(to=message.address, text=words.text)
            case Way.MAIL:
                return _mail(message.address, words)
            case Way.PUSH:
                shown = Notification("show", words.tag, words.title, words.text, words.url, words.ttl)
                return push_to(message.to, shown)
            case other:
                raise ValueError(f"There is no way {other!r}.")
    except NotTaken as problem:
        _outcome(message, State.WAITING, problem=str(problem))
        raise
    except InDoubt as problem:
        return problem


def _keep(message: Message, outcome: Taken | TurnedDown | InDoubt) -> None:
    match outcome:
        case Taken(gateway=gateway, ref=ref):
            _outcome(message, State.SENT, gateway=gateway, gateway_ref=ref, sent_at=timezone.now(), problem="")
        case TurnedDown(gateway=gateway, reason=reason, unsubscribed=unsubscribed):
            _outcome(message, State.REFUSED, gateway=gateway, problem=reason)
            if unsubscribed and message.way == Way.TEXT:
                end_consent(number=message.address, by=TextConsent.EndedBy.CARRIER)
        case InDoubt():
            _outcome(message, State.IN_DOUBT, problem=str(outcome))
        case _:
            assert_never(outcome)


def _outcome(message: Message, state: Message.State, *, problem: str, **values: object) -> None:
    """Write the sender's answer. A late one still settles what was called in doubt; it is no reason to try again."""
    settles = [State.SENDING] if state == State.WAITING else [State.SENDING, State.IN_DOUBT]
    Message.objects.filter(pk=message.pk, state__in=settles).update(state=state, problem=problem[:300], **values)


def _mail(address: str, words: Words) -> Taken | TurnedDown:
    server = get_connection()
    try:
        server.open()
    except (OSError, smtplib.SMTPException) as problem:
        raise NotTaken(f"No mail server: {problem}") from problem
    message = EmailMessage(subject=" ".join(words.title.split()), body=words.text, to=[address], connection=server)
    try:
        message.send()
    except smtplib.SMTPRecipientsRefused as problem:
        code, answer = next(iter(problem.recipients.values()))
        return _refused_mail(code, answer)
    except smtplib.SMTPResponseException as problem:
        return _refused_mail(problem.smtp_code, problem.smtp_error)
    except smtplib.SMTPServerDisconnected as problem:
        raise InDoubt(f"The mail server hung up: {problem}") from problem
    except TimeoutError as problem:
        raise InDoubt("The mail server did not answer.") from problem
    finally:
        server.close()
    return Taken("smtp")


def _refused_mail(code: int, answer: bytes | str) -> TurnedDown:
    """A code of 5xx is for good, one of 4xx passes (RFC 5321, 4.2.1)."""
    sentence = f"The mail server answered {code}: {answer.decode(errors='replace') if isinstance(answer, bytes) else answer}"
    if code < 500:
        raise NotTaken(sentence)
    return TurnedDown("smtp", sentence)


def give_up(message: Message) -> None:
    """No more tries: the message FAILED, unless it went out after all."""
    Message.objects.filter(pk=message.pk, state=State.WAITING).update(state=State.FAILED)


def withdraw(message: Message) -> None:
    """The message makes no sense any more. One that nobody began to send is taken back, and may be written again one day."""
    waiting = Message.objects.filter(pk=message.pk, state=State.WAITING)
    waiting.filter(began_at=None).delete()
    waiting.update(state=State.FAILED)
