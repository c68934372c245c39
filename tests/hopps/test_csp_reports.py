"""What browsers report becomes one line that holds nothing secret; nonsense and floods become none."""

import json
import logging

import pytest
from django.test import Client
from django.urls import reverse

from hopps import csp_reports

SESSION = "00000000-0000-4000-8000-000000000000"


@pytest.fixture(autouse=True)
def _fresh_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csp_reports._Minute, "lines", 0)


def report(**changes: object) -> bytes:
    told = {
        "document-uri": f"https://hopps.example.org/sessions/{SESSION}/?token=secret",
        "blocked-uri": "https://user:secret@evil.example/steal?cookie=secret",
        "effective-directive": "script-src-elem",
        "violated-directive": "script-src-elem 'self'",
    }
    return json.dumps({"csp-report": told | changes}).encode()


def send(body: bytes) -> int:
    answer = Client(enforce_csrf_checks=True).post(reverse("csp_report"), body, content_type="application/csp-report")
    return int(answer.status_code)


def test_a_report_is_one_line_without_anything_secret(caplog: pytest.LogCaptureFixture) -> None:
    assert send(report()) == 204
    assert caplog.messages == ["Content-Security-Policy stopped https://evil.example on session: script-src-elem"]


@pytest.mark.parametrize(
    ("blocked", "named"),
    [
        ("inline", "inline"),
        ("", "something"),
        ("http://[", "something"),
        ("data:text/html,x", "data:"),
        ("a\nb", "something"),
    ],
)
def test_what_was_stopped_is_named_by_its_host_or_its_kind(blocked: str, named: str) -> None:
    assert csp_reports.line_of(report(**{"blocked-uri": blocked})) == (
        f"Content-Security-Policy stopped {named} on session: script-src-elem"
    )


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"null", b'{"csp-report": 1}', b'{"csp-report": {}}', b"\xff", b"[" * 9000, report(**{"blocked-uri": 1}),
     report(**{"effective-directive": "a line\nof its own"})],
)  # fmt: skip
def test_what_is_no_report_is_refused_and_not_written_down(body: bytes, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, logger=csp_reports.__name__)
    assert send(body) == 400
    assert [record for record in caplog.records if record.name == csp_reports.__name__] == []


def test_a_flood_writes_only_so_many_lines(caplog: pytest.LogCaptureFixture) -> None:
    assert {send(report()) for _ in range(csp_reports.LINES_A_MINUTE + 5)} == {204}
    assert len(caplog.messages) == csp_reports.LINES_A_MINUTE
