"""A real mail server on loopback (aiosmtpd), which keeps what it is given, and fails on demand."""

import asyncio
import email
import email.policy
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from typing import Literal

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from script.lib.processes import HOST, free_port

Fault = Literal["", "no such person", "busy", "hangs up", "silent"]


class MailServer:
    """Takes mails. `fault`: what it does instead, from now on."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.fault: Fault = ""
        self.asked = 0
        self._goes_on: asyncio.Event | None = None
        self.port = free_port()
        logging.getLogger("mail.log").setLevel(logging.WARNING)
        self._controller = Controller(self, hostname=HOST, port=self.port)

    async def handle_RCPT(  # noqa: N802  aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.fault == "no such person":
            return "550 No such person here"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        self.asked += 1
        if self.fault == "busy":
            return "451 Come back later"
        if self.fault == "hangs up":
            assert isinstance(server.transport, asyncio.Transport)
            server.transport.abort()
            return "421 Bye"
        if self.fault == "silent":
            self._goes_on = asyncio.Event()
            await self._goes_on.wait()
            if self.fault == "silent":
                return "421 Too late"
        content = envelope.content if isinstance(envelope.content, bytes) else b""
        self.mails.append(email.message_from_bytes(content, _class=EmailMessage, policy=email.policy.default))
        return "250 OK"

    def start(self) -> None:
        self._controller.start()

    def stop(self) -> None:
        self.go_on()
        self._controller.stop()

    def go_on(self) -> None:
        """Answer who was met with silence: with what became of the fault since."""
        if self._goes_on is not None:
            self._controller.loop.call_soon_threadsafe(self._goes_on.set)


@contextmanager
def mail_server() -> Iterator[MailServer]:
    """Start a mail server; it is stopped in the end."""
    server = MailServer()
    server.start()
    try:
        yield server
    finally:
        server.stop()
