"""A push service on 127.0.0.1: it takes what a real one takes, refuses what a real one refuses, and opens the envelope.

A message is read with nothing but hashes and AES, as RFC 8188, 8291 and 8292 have it: what Hopps sends with pywebpush is
not judged by the library that made it.
"""

import hashlib
import hmac
import json
import re
import struct
import threading
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Empty, SimpleQueue
from secrets import token_bytes, token_urlsafe
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

HOST = "127.0.0.1"
PATIENCE = 20.0
# What a push service must take, and most take no more (RFC 8030, 7.2).
LARGEST = 4096
DAY = 24 * 60 * 60


@dataclass(frozen=True)
class Arrived:
    """A message as the browser would get it."""

    content: dict[str, Any]
    headers: dict[str, str]
    """In lower case."""


@dataclass
class Browser:
    """A browser that is subscribed: its keys, and what came for it."""

    endpoint: str
    server_key: str
    """The public key it subscribed with; a message signed with another is refused."""
    private: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    secret: bytes = field(default_factory=lambda: token_bytes(16))
    answers: int | None = None
    """The status the next messages are refused with; None where they are taken."""
    _arrived: SimpleQueue[Arrived] = field(default_factory=SimpleQueue)
    problems: list[str] = field(default_factory=list)

    @property
    def keys(self) -> dict[str, str]:
        """What the browser gives away with its subscription."""
        return {"p256dh": _text(_point(self.private)), "auth": _text(self.secret)}

    def next(self) -> Arrived:
        """Wait for the next message."""
        try:
            return self._arrived.get(timeout=PATIENCE)
        except Empty:
            raise AssertionError(f"No message came in {PATIENCE} s. Refused: {self.problems}") from None

    def nothing_came(self) -> bool:
        """Whether no message waits and none was refused."""
        return self._arrived.empty() and not self.problems


class PushService:
    """Listens on a free port; `browser` makes a subscription at it."""

    def __init__(self) -> None:
        """Listen."""
        self._browsers: dict[str, Browser] = {}
        self.asked = 0
        """How many messages came to any address of it."""
        self.silence: threading.Event | None = None
        """While it is there and not set, nobody is answered."""
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                service.asked += 1
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if service.silence is not None:
                    service.silence.wait(PATIENCE)
                status = service._take(self.path, {name.lower(): value for name, value in self.headers.items()}, body)
                self.send_response(status)
                if status in (301, 302, 307, 308):
                    self.send_header("Location", f"{service.url}/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
                """Say nothing."""

        self._server = ThreadingHTTPServer((HOST, 0), Handler)
        self.url = f"http://{HOST}:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def browser(self, *, server_key: str) -> Browser:
        """Return a browser subscribed with this public key (base64url)."""
        path = f"/push/{token_urlsafe(24)}"
        browser = self._browsers[path] = Browser(endpoint=f"{self.url}{path}", server_key=server_key)
        return browser

    def stop(self) -> None:
        """Stop listening."""
        if self.silence is not None:
            self.silence.set()
        self._server.shutdown()
        self._server.server_close()

    def _take(self, path: str, headers: dict[str, str], body: bytes) -> int:
        browser = self._browsers.get(path)
        if browser is None:
            return 404
        if browser.answers is not None:
            return browser.answers
        try:
            check_headers(headers, body)
            check_signature(headers["authorization"], audience=self.url, server_key=browser.server_key)
            content = json.loads(decrypt(body, private=browser.private, secret=browser.secret))
        except Refusal as refusal:
            browser.problems.append(str(refusal))
            return refusal.status
        browser._arrived.put(Arrived(content=content, headers=headers))
        return 201


@pytest.fixture
def push_service() -> Iterator[PushService]:
    """A push service that listens."""
    service = PushService()
    yield service
    service.stop()


class Refusal(Exception):
    """What is wrong with a message, and the status it is answered with."""

    def __init__(self, status: int, problem: str) -> None:
        super().__init__(problem)
        self.status = status


def check_headers(headers: dict[str, str], body: bytes) -> None:
    """Raise Refusal where RFC 8030 does not allow these headers or this size."""
    wrong: list[tuple[int, str, Callable[[], bool]]] = [
        (413, "larger than 4096 bytes", lambda: len(body) > LARGEST),
        (400, "no TTL", lambda: not headers.get("ttl", "").isdigit()),
        (400, "not aes128gcm", lambda: headers.get("content-encoding") != "aes128gcm"),
        (400, "no such urgency", lambda: headers.get("urgency", "normal") not in ("very-low", "low", "normal", "high")),
        (400, "no topic", lambda: not re.fullmatch(r"[A-Za-z0-9_-]{1,32}", headers.get("topic", "x"))),
        (400, "not bytes", lambda: headers.get("content-type") != "application/octet-stream"),
        (401, "not signed", lambda: not headers.get("authorization", "").startswith("vapid ")),
    ]
    for status, problem, is_wrong in wrong:
        if is_wrong():
            raise Refusal(status, problem)


def check_signature(authorization: str, *, audience: str, server_key: str) -> None:
    """Raise Refusal unless it is a token of `server_key` for `audience` that holds now, for less than a day (RFC 8292)."""
    parts = dict(part.strip().split("=", 1) for part in authorization.removeprefix("vapid ").split(","))
    if parts.get("k") != server_key:
        raise Refusal(403, "signed with another key than the browser subscribed with")
    header, claims, signature = parts["t"].split(".")
    r, s = (int.from_bytes(half, "big") for half in (_bytes(signature)[:32], _bytes(signature)[32:]))
    public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), _bytes(server_key))
    try:
        public.verify(encode_dss_signature(r, s), f"{header}.{claims}".encode(), ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        raise Refusal(403, "the signature is not the key's") from None
    said = json.loads(_bytes(claims))
    if json.loads(_bytes(header)).get("alg") != "ES256" or said["aud"] != audience:
        raise Refusal(403, f"signed for {said['aud']}")
    if not time.time() < said["exp"] <= time.time() + DAY:
        raise Refusal(403, "signed for a time that is not now")
    if not said.get("sub", "").startswith(("mailto:", "https:")):
        raise Refusal(403, "signed by nobody")


def decrypt(body: bytes, *, private: ec.EllipticCurvePrivateKey, secret: bytes) -> bytes:
    """Return what a message of one record holds (RFC 8188, 2 and RFC 8291, 3). Raises Refusal."""
    salt, size, length = body[:16], struct.unpack("!I", body[16:20])[0], body[20]
    sender, sealed = body[21 : 21 + length], body[21 + length :]
    if len(sealed) > size or length != 65:
        raise Refusal(400, "not one record")
    shared = private.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), sender))
    key_info = b"WebPush: info\0" + _point(private) + sender
    key = _expand(_hmac(secret, shared), key_info, 32)
    extracted = _hmac(salt, key)
    content_key = _expand(extracted, b"Content-Encoding: aes128gcm\0", 16)
    nonce = _expand(extracted, b"Content-Encoding: nonce\0", 12)
    padded = AESGCM(content_key).decrypt(nonce, sealed, None).rstrip(b"\0")
    if padded[-1:] != b"\2":
        raise Refusal(400, "not the last record")
    return padded[:-1]


def _hmac(key: bytes, text: bytes) -> bytes:
    return hmac.digest(key, text, hashlib.sha256)


def _expand(key: bytes, info: bytes, length: int) -> bytes:
    return _hmac(key, info + b"\1")[:length]


def _point(private: ec.EllipticCurvePrivateKey) -> bytes:
    return private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def _text(some: bytes) -> str:
    return urlsafe_b64encode(some).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
