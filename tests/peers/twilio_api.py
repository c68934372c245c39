"""What the stand-ins for Twilio's texts and calls share: requests and answers checked against Twilio's own description, and
callbacks signed as Twilio signs them, which go out when a test says so."""

import json
import threading
import urllib.request
from base64 import b64encode
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode, urlsplit

from twilio.request_validator import RequestValidator

from tests.peers.faults import Answer, Asked, FaultyServer, opener
from tests.peers.openapi import PEERS, Checked, Spec, SpecError
from tests.peers.openapi_answers import check_answer

SPECS = PEERS / "twilio-spec"
ACCOUNT, TOKEN = f"AC{'0' * 32}", "token-of-the-stand-in"

JSON = dict[str, Any]
# A callback, to be sent or not: address, fields and signature.
Call = tuple[str, dict[str, str], str]


def read_spec(file: Path) -> Spec:
    """Return one of Twilio's descriptions. Raises FileNotFoundError when `ensure_peers` did not run."""
    return Spec("Twilio", json.loads(file.read_text()))


class TwilioApi(FaultyServer):
    """One of Twilio's APIs; what its operations do is a subclass's `do`."""

    def __init__(self, spec: Spec) -> None:
        """Listen at once."""
        self.spec = spec
        self.reset_books()
        super().__init__()

    def reset_books(self) -> None:
        """Forget what was asked, and what was wrong."""
        self.books = threading.RLock()
        self.asked: list[Checked] = []
        self.violations: list[str] = []

    def reset(self) -> None:
        """Forget all."""
        self.forget_faults()
        self.reset_books()

    def signed(self, url: str, fields: dict[str, str]) -> Call:
        """Return a call with any fields."""
        return url, fields, RequestValidator(TOKEN).compute_signature(url, fields)

    def deliver(self, url: str, fields: dict[str, str], signature: str) -> int:
        """Send a call to a server, where no proxy stands before it; return the status of the answer."""
        request = urllib.request.Request(url, urlencode(fields).encode(), {"X-Twilio-Signature": signature})
        try:
            with opener.open(request, timeout=30) as answer:
                return int(answer.status)
        except HTTPError as problem:
            with problem:
                return problem.code

    def answer(self, asked: Asked) -> Answer:
        """Answer a request of the API, if the description allows it."""
        address = urlsplit(asked.path)
        if asked.headers.get("Authorization") != f"Basic {b64encode(f'{ACCOUNT}:{TOKEN}'.encode()).decode()}":
            return Answer(401, error(401, 20003, "Authenticate"))
        with self.books:
            try:
                checked = self.spec.check(asked.method, address.path, address.query, asked.body)
                self.check_values(checked)
                status, given = self.do(checked)
                if status < 300:
                    check_answer(self.spec, checked.operation, given)
            except SpecError as problem:
                self.violations.append(str(problem))
                return Answer(400, error(400, 20001, str(problem)))
            self.asked.append(checked)
        return Answer(status, json.dumps(given).encode())

    def check_values(self, checked: Checked) -> None:
        """Check what the description says in words only. Raises SpecError."""

    def do(self, checked: Checked) -> tuple[int, JSON]:
        """Do what a request that passed asks; return status and answer."""
        raise NotImplementedError


def error(status: int, code: int, message: str) -> bytes:
    """Return the body of an error, as Twilio writes it."""
    return json.dumps(error_of(status, code, message)).encode()


def error_of(status: int, code: int, message: str) -> JSON:
    """Return an error, as Twilio describes it."""
    more = f"https://www.twilio.com/docs/errors/{code}"
    return {"code": code, "message": message, "more_info": more, "status": status}


def check_address(name: str, value: str | None) -> None:
    """Check that a parameter that takes an address has one. Raises SpecError."""
    if urlsplit(value or "").scheme not in ("http", "https"):
        raise SpecError(f"{name} takes an address.")


def check_range(body: JSON, name: str, least: int, most: int, unit: str) -> None:
    """Check that a number, where it is given, is one that Twilio takes. Raises SpecError."""
    if not least <= body.get(name, least) <= most:
        raise SpecError(f"{name} takes {least} to {most} {unit}.")
