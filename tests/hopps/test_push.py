"""One notification to one browser, by way of a push service on loopback that opens the envelope."""

import socket
import ssl
import threading
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import StringIO
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from django.conf import settings as project
from django.core.management import call_command
from pytest_django import Settings

from hopps import push as module
from hopps.push import Notification, endpoint_problem, push
from hopps.sending import NotTaken, Taken, TurnedDown
from hopps.vapid import new_key, problem_with, public_key
from tests.peers.push_service import Browser, PushService, push_service

__all__ = ["push_service"]

SHOWN = Notification("show", "request-1", "Alice is stuck: Query is slow", "Databases, $2.00/min", "http://hopps.test/", 600)


@pytest.fixture
def browser(push_service: PushService) -> Browser:
    return push_service.browser(server_key=public_key(project.VAPID_PRIVATE_KEY))


def send(browser: Browser, notification: Notification = SHOWN) -> Taken | TurnedDown:
    return push(endpoint=browser.endpoint, keys=browser.keys, notification=notification)


def test_the_browser_gets_what_was_sent(browser: Browser) -> None:
    assert send(browser) == Taken("webpush")
    arrived = browser.next()
    assert arrived.content == {
        "kind": "show",
        "tag": "request-1",
        "title": "Alice is stuck: Query is slow",
        "body": "Databases, $2.00/min",
        "url": "http://hopps.test/",
        "ttl": 600,
    }
    assert (arrived.headers["ttl"], arrived.headers["urgency"]) == ("600", "high")


def test_what_was_not_brought_yet_is_replaced_by_the_next_of_its_tag(browser: Browser) -> None:
    send(browser)
    send(browser, Notification("close", "request-1"))
    send(browser, replace(SHOWN, tag="request-2"))
    first, second, other = (browser.next().headers["topic"] for _ in range(3))
    assert first == second != other


def test_a_long_notification_is_cut_and_fits(browser: Browser) -> None:
    # Four bytes a letter, and six for each of the others.
    send(browser, replace(SHOWN, title="😀" * 5000, body="\x01" * 5000))
    content = browser.next().content
    assert content["title"].startswith("😀" * 100)
    assert content["title"].endswith("…")
    assert len(content["body"]) == 300


@pytest.mark.parametrize("status", [404, 410])
def test_a_browser_that_is_gone_is_gone_for_good(browser: Browser, status: int) -> None:
    browser.answers = status
    outcome = send(browser)
    assert isinstance(outcome, TurnedDown)
    assert outcome.unsubscribed


@pytest.mark.parametrize("status", [400, 401, 403, 413, 301, 307])
def test_a_message_that_is_refused_is_not_the_browsers_fault(
    push_service: PushService, browser: Browser, status: int
) -> None:
    browser.answers = status
    outcome = send(browser)
    assert isinstance(outcome, TurnedDown)
    assert not outcome.unsubscribed
    assert str(status) in outcome.reason
    assert push_service.asked == 1, "a redirect was followed"


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_a_push_service_in_trouble_is_asked_again(browser: Browser, status: int) -> None:
    browser.answers = status
    with pytest.raises(NotTaken, match=str(status)):
        send(browser)


def test_a_push_service_that_says_nothing_is_asked_again(
    push_service: PushService, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "TIMEOUT_SECONDS", 0.2)
    push_service.silence = threading.Event()
    with pytest.raises(NotTaken, match="did not answer"):
        send(browser)
    push_service.silence.set()


def test_a_push_service_that_is_not_there_is_asked_again(browser: Browser) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        nobody = f"http://127.0.0.1:{taken.getsockname()[1]}/"
    with pytest.raises(NotTaken, match="did not answer: ConnectionRefused"):
        push(endpoint=nobody, keys=browser.keys, notification=SHOWN)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_push_service_that_drips_is_cut_off(
    browser: Browser, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, scheme: str
) -> None:
    """A byte now and then is always in time; the whole is not."""
    monkeypatch.setattr(module, "TIMEOUT_SECONDS", 1)
    sealed = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    sealed.load_cert_chain(certificate_of("127.0.0.1", tmp_path / "certificate.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "certificate.pem"))
    gone, whole = threading.Event(), threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def drip() -> None:
            connection, _ = listening.accept()
            served = sealed.wrap_socket(connection, server_side=True) if scheme == "https" else connection
            with suppress(OSError), served as line:
                # It ends one day, for when nobody cuts it off.
                for _ in range(100):
                    if gone.wait(0.05):
                        return
                    line.sendall(b"H")
                whole.set()

        thread = threading.Thread(target=drip)
        thread.start()
        with pytest.raises(NotTaken, match="did not answer"):
            push(endpoint=f"{scheme}://127.0.0.1:{listening.getsockname()[1]}/", keys=browser.keys, notification=SHOWN)
        gone.set()
        thread.join()
        assert not whole.is_set(), "it was listened to until it ended by itself"


def certificate_of(address: str, path: Path) -> Path:
    """Write a key and a certificate it signed itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, address)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(address))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    encoding = serialization.Encoding.PEM
    plain = serialization.NoEncryption()
    path.write_bytes(key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, plain) + made.public_bytes(encoding))
    return path


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("8.8.8.8", True), ("2606:4700::1111", True),
        ("127.0.0.1", False), ("10.0.0.1", False), ("169.254.169.254", False), ("224.0.0.1", False), ("::1", False),
        ("fd00::1", False), ("::ffff:127.0.0.1", False), ("::127.0.0.1", False), ("2002:7f00:1::", False),
        ("64:ff9b::7f00:1", False), ("64:ff9b:1::a00:1", False), ("fec0::1", False),
    ],
)  # fmt: skip
def test_only_public_addresses_are_asked(address: str, public: bool) -> None:
    assert module.is_public(address) is public


def test_an_endless_answer_is_not_read(browser: Browser) -> None:
    """The answer promises more than it ever sends: whoever reads it waits for nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(b"HTTP/1.1 201 Created\r\nContent-Length: 999999999\r\n\r\nx")
                while connection.recv(65536):
                    pass

        thread = threading.Thread(target=answer)
        thread.start()
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/"
        assert push(endpoint=url, keys=browser.keys, notification=SHOWN) == Taken("webpush")
        thread.join(10)
    assert not thread.is_alive(), "the connection was left open"


def test_keys_that_are_none_are_forgotten(browser: Browser) -> None:
    for keys in ({**browser.keys, "p256dh": "AAAA"}, {**browser.keys, "auth": "!"}, {**browser.keys, "p256dh": "B" * 87}):
        outcome = push(endpoint=browser.endpoint, keys=keys, notification=SHOWN)
        assert isinstance(outcome, TurnedDown)
        assert outcome.unsubscribed


def test_another_key_than_the_browser_subscribed_with_is_refused(browser: Browser, settings: Settings) -> None:
    settings.VAPID_PRIVATE_KEY = new_key()
    outcome = send(browser)
    assert isinstance(outcome, TurnedDown)
    assert not outcome.unsubscribed
    assert browser.problems == ["signed with another key than the browser subscribed with"]


def test_without_a_key_nothing_is_sent_and_nothing_breaks(
    push_service: PushService, browser: Browser, settings: Settings
) -> None:
    settings.VAPID_PRIVATE_KEY = ""
    outcome = send(browser)
    assert isinstance(outcome, TurnedDown)
    assert "not set up" in outcome.reason
    assert not outcome.unsubscribed
    assert push_service.asked == 0


def test_a_name_that_leads_inside_is_never_asked(push_service: PushService, browser: Browser, settings: Settings) -> None:
    settings.DEVELOPMENT = False
    outcome = send(browser)
    assert isinstance(outcome, TurnedDown)
    assert "inside our own network" in outcome.reason
    assert push_service.asked == 0


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://push.example.org/1",
        "https://10.0.0.1/1",
        "https://[::1]/1",
        "https://2130706433/1",
        "https://127.1/1",
        "https://0x7f.0x1/1",
        "https://localhost/1",
        "https://localhost./1",
        "https://db.internal/1",
        "https://printer.local./1",
        "https://intranet/1",
        "https://user:word@push.example.org/1",
        "https://push.example.org:x/1",
        "https://push.example.org/\n",
        "https:///1",
        "http://127.0.0.1:9000/1",
        "file:///etc/passwd",
        "",
    ],
)
def test_in_production_a_push_service_is_https_and_public(endpoint: str, settings: Settings) -> None:
    settings.DEVELOPMENT = False
    assert endpoint_problem(endpoint)


def test_a_real_push_service_is_fine_and_in_development_one_on_this_machine(settings: Settings) -> None:
    for development in (True, False):
        settings.DEVELOPMENT = development
        assert endpoint_problem("https://updates.push.services.mozilla.com/wpush/v2/gAAAA") is None
        assert endpoint_problem("https://fcm.googleapis.com/fcm/send/abc:def") is None
    settings.DEVELOPMENT = True
    assert endpoint_problem("http://127.0.0.1:9000/1") is None
    assert endpoint_problem("http://10.0.0.1/1")


def test_the_command_prints_a_pair_that_fits() -> None:
    out = StringIO()
    call_command("vapid", stdout=out)
    line, note = out.getvalue().splitlines()
    private = line.removeprefix("VAPID_PRIVATE_KEY=")
    assert note.endswith(public_key(private))
    assert problem_with(private, "mailto:ops@example.org") is None


def test_a_key_or_subject_that_cannot_sign_is_said_at_start() -> None:
    assert problem_with("", "") is None
    assert "VAPID_PRIVATE_KEY is no key" in (problem_with("secret", "mailto:ops@example.org") or "")
    assert "VAPID_SUBJECT must be" in (problem_with(new_key(), "ops@example.org") or "")
