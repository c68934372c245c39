"""Mails to experts, through a real mail server: what arrives, and what is written down when it does not."""

from collections.abc import Iterator
from uuid import uuid4

import pytest
from pytest_django import Settings

from accounts import outbox
from accounts.models import Message, User
from accounts.outbox import Words
from hopps.sending import NotTaken
from script.lib.processes import HOST, free_port
from tests.peers.mail_server import Fault, MailServer, mail_server
from tests.people import eve, topic

__all__ = ["eve", "topic"]

pytestmark = pytest.mark.django_db

WORDS = Words(title="Alice is stuck:\n Query is slow", text="Read it and accept: https://h.test/1", url="", tag="t")


@pytest.fixture
def mailbox(settings: Settings) -> Iterator[MailServer]:
    with mail_server() as server:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = HOST, server.port
        settings.EMAIL_USE_TLS = False
        settings.EMAIL_TIMEOUT = 1
        yield server


def written(to: User) -> Message:
    purpose, way = Message.Purpose.REQUEST, Message.Way.MAIL
    message = outbox.write(key=f"k:{uuid4()}", to=to, way=way, purpose=purpose, address=to.email)
    assert message is not None
    return message


def test_it_arrives_as_it_was_written(mailbox: MailServer, eve: User) -> None:
    message = outbox.send(written(eve), WORDS)
    assert message.state == Message.State.SENT
    assert message.text == WORDS.text
    (mail,) = mailbox.mails
    assert mail["To"] == "eve@example.org"
    assert mail["Subject"] == "Alice is stuck: Query is slow"
    assert mail.get_content().strip() == WORDS.text


def test_sent_by_two_it_goes_out_once(mailbox: MailServer, eve: User) -> None:
    message = written(eve)
    for _ in range(2):
        outbox.send(message, WORDS)
    assert len(mailbox.mails) == 1


def test_an_address_nobody_has_is_refused_for_good(mailbox: MailServer, eve: User) -> None:
    mailbox.fault = "no such person"
    message = outbox.send(written(eve), WORDS)
    assert message.state == Message.State.REFUSED
    assert "550" in message.problem


def test_a_busy_server_is_asked_again(mailbox: MailServer, eve: User) -> None:
    mailbox.fault = "busy"
    message = written(eve)
    with pytest.raises(NotTaken, match="451"):
        outbox.send(message, WORDS)
    message.refresh_from_db()
    assert message.state == Message.State.WAITING
    mailbox.fault = ""
    assert outbox.send(message, WORDS).state == Message.State.SENT
    assert len(mailbox.mails) == 1


@pytest.mark.parametrize("fault", ["hangs up", "silent"])
def test_a_server_that_does_not_answer_leaves_it_in_doubt_and_is_not_asked_again(
    mailbox: MailServer, eve: User, fault: Fault
) -> None:
    mailbox.fault = fault
    message = outbox.send(written(eve), WORDS)
    assert message.state == Message.State.IN_DOUBT
    mailbox.fault = ""
    outbox.send(message, WORDS)
    assert (mailbox.asked, mailbox.mails) == (1, [])


def test_without_a_mail_server_it_waits(mailbox: MailServer, settings: Settings, eve: User) -> None:
    settings.EMAIL_PORT = free_port()
    message = written(eve)
    with pytest.raises(NotTaken):
        outbox.send(message, WORDS)
    message.refresh_from_db()
    assert message.state == Message.State.WAITING
