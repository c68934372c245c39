"""The worker is killed (SIGKILL) at every point of two waves and started again: nobody is texted twice, nobody is left out.

Where the process dies between asking Twilio and writing down its answer, nobody knows whether the text went out: that
expert is not texted again, and gets a mail.
"""

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.databases import databases
from tests.live import ROOT, copy_of, environment_of, prepare_database
from tests.peers.mail_server import MailServer, mail_server
from tests.peers.twilio_stand_in import TwilioStandIn
from tests.sessions_app.wave_crasher import EXPERTS, number_of

MOST_POINTS = 100


class Crasher:
    """The process that forks the attempts, and what arrives at the stand-ins."""

    def __init__(self, folder: Path, prepared: str, twilio: TwilioStandIn, mailbox: MailServer) -> None:
        self.twilio, self.mailbox = twilio, mailbox
        self.database = copy_of(prepared, folder)
        self.log = folder / "crasher.log"
        environment = environment_of(folder, self.database) | {
            "EMAIL_BACKEND": "",
            "EMAIL_HOST": "127.0.0.1",
            "EMAIL_PORT": str(mailbox.port),
            "EMAIL_USE_TLS": "0",
            "LOG_LEVEL": "WARNING",
            **twilio.settings,
        }
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.sessions_app.wave_crasher"],
                cwd=ROOT,
                env=os.environ | environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )

    def attempt(self, *, kill: int) -> dict[str, Any]:
        """Have two waves go out, killed at a point, and the worker started again; return what came of it."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.twilio.reset()
        self.mailbox.mails.clear()
        self.process.stdin.write(f"{kill}\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, self.log.read_text()[-4000:]
        answer: dict[str, Any] = json.loads(line)
        assert not answer["problem"], answer["problem"]
        return answer

    def stop(self) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.wait(timeout=20)
        self.process.stdout.close()
        databases.drop(self.database)


@pytest.fixture
def crasher(twilio_peer: TwilioStandIn, shared_folder: Path, tmp_path: Path) -> Iterator[Crasher]:
    prepared = prepare_database(shared_folder, demo=False)
    with mail_server() as mailbox:
        crasher = Crasher(tmp_path, prepared, twilio_peer, mailbox)
        yield crasher
        crasher.stop()


def test_killed_at_any_point_of_a_wave_nobody_is_texted_twice_and_nobody_is_left_out(crasher: Crasher) -> None:
    kill, killed, in_doubt = 0, True, 0
    while killed:
        kill += 1
        assert kill < MOST_POINTS
        answer = crasher.attempt(kill=kill)
        killed = answer["killed"]
        where = answer["points"][-1]
        texts = Counter(number for number, _ in crasher.twilio.sent())
        mails = Counter(str(mail["To"]) for mail in crasher.mailbox.mails)
        for n in range(EXPERTS):
            text, letter = texts[number_of(n)], mails[f"expert{n}@example.org"]
            assert text <= 1, f"Expert {n} was texted {text} times, killed {where}"
            assert letter <= 1, f"Expert {n} was mailed {letter} times, killed {where}"
            assert text + letter >= 1, f"Expert {n} was left out, killed {where}"
        in_doubt += mails.total()
    assert len([point for point in answer["points"] if "a text" in point]) == EXPERTS
    # After each of the texts was taken and before that was written down; and before each of them was, too.
    assert in_doubt == 2 * EXPERTS
    print(f"killed at {kill - 1} points; {in_doubt} times by mail, as nobody knew of the text")
