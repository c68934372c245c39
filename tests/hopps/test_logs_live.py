"""A real server with everything logged goes through what people do, and what fails: nothing secret is in what it wrote."""

import json
import re
import time
from collections.abc import Callable, Iterator
from uuid import uuid4

import pytest
import requests

from accounts.models import Topic
from billing.models import Card
from tests.conftest import StartServer
from tests.live import LiveServer
from tests.peers.mail_server import MailServer, mail_server
from tests.peers.twilio_api import error
from tests.peers.twilio_stand_in import TwilioStandIn
from tests.sessions_app.wire import Person

SECONDS = 30.0
# What must be in the log: that it was written, and that errors are told.
CONTROL = "control-of-this-test"

# What people type, each findable: what they ask for and say to each other first, then what opens doors, then who they are.
TITLE, DETAILS, LINE, SPOKEN_BADLY = "zebra-title", "zebra-details", "zebra-line", "zebra-not-json"
PASSWORD, WRONG_PASSWORD = "Zebra-Password-7391", "Zebra-Mistyped-1937"
RESET_KEY, BEARER, BAD_COOKIE = "2-zebra-99ffee", "zebra.bearer.7391", "zebra0cookie0of0nobody"
WEBHOOK_SIGNATURE, WEBHOOK_WORDS = "zebra5257a869e7ecebeda32affa62cdca3fa51cad7e77a0e56ff536d0ce8e108d8bd", "zebra-webhook"
PROVIDER_WORDS_KEY = "sk_live_zebra4eC39HqLyjWDarjtT1"
CARD, CVC = "4242 4242 4242 4242", "cvc 737"
MAIL, NUMBER, OTHER_NUMBER = "zebra.person@zebra.example.org", "+436641237391", "+436641237392"
SETTINGS = {
    "SECRET_KEY": "zebra/secret/key/of/this/site/that/signs/everything/it/gives/out",
    "STRIPE_SECRET_KEY": "sk_test_zebraStripeKey7391",
    "STRIPE_WEBHOOK_SECRETS": "whsec_zebraWebhookSecret7391",
    "TURN_URLS": "turn:turn.example.org",
    "TURN_SECRET": "zebra turn secret without a shape",
    "METRICS_TOKEN": "zebra-metrics-token-of-this-site",
    "EMAIL_HOST_PASSWORD": "zebra-mail-password",
}


@pytest.fixture(scope="module")
def mails() -> Iterator[MailServer]:
    with mail_server() as server:
        yield server


@pytest.fixture
def server(start_server: StartServer, twilio_peer: TwilioStandIn, mails: MailServer) -> LiveServer:
    """A server that logs as in production, and all that it may."""
    mail = {"EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend", "EMAIL_HOST": "127.0.0.1", "EMAIL_USE_TLS": "0"}
    logs = {"LOG_FORMAT": "json", "LOG_LEVEL": "DEBUG", "ACCESS_LOG": "1"}
    return start_server(**twilio_peer.settings, **SETTINGS, **mail, **logs, EMAIL_PORT=str(mails.port))


def eventually(holds: Callable[[], bool], what: str) -> None:
    until = time.monotonic() + SECONDS
    while not holds():
        assert time.monotonic() < until, what
        time.sleep(0.05)


class Visitor:
    """Somebody's browser, before they have signed in."""

    def __init__(self, server: LiveServer) -> None:
        self.url = server.url
        self.http = requests.Session()
        self.http.trust_env = False
        self.get("/accounts/signup/")

    def get(self, path: str, **headers: str) -> int:
        return self.http.get(self.url + path, headers=headers, timeout=SECONDS).status_code

    def post(self, path: str, **fields: str) -> int:
        form = fields | {"csrfmiddlewaretoken": self.http.cookies["csrftoken"] or ""}
        return self.http.post(self.url + path, data=form, timeout=SECONDS, allow_redirects=False).status_code


def sign_up(visitor: Visitor, mails: MailServer) -> str:
    """Sign up with the code of the mail, mistyped first; return the code."""
    fields = {"display_name": "Zoë Zebra", "email": MAIL, "password1": PASSWORD}
    assert visitor.post("/accounts/signup/", **fields) == 302
    eventually(lambda: bool(mails.mails), "No mail came.")
    code = re.search(r"^\s*([A-Z0-9]{3,}-?[A-Z0-9]{3,})\s*$", mails.mails[-1].get_content(), re.MULTILINE)
    assert code is not None, mails.mails[-1].get_content()
    visitor.post("/accounts/confirm-email/", code="ZZZZ-9999")
    assert visitor.post("/accounts/confirm-email/", code=code[1]) == 302
    visitor.post("/accounts/login/", login=MAIL, password=WRONG_PASSWORD)
    return code[1]


def verify_phone(expert: Person, twilio: TwilioStandIn) -> str:
    """Verify a number by the code that is texted to it; return the code."""
    expert.get("/accounts/phone/change/")
    assert expert.post("/accounts/phone/change/", phone=NUMBER).status_code == 302
    eventually(lambda: bool(twilio.sent()), "No code came.")
    code = re.search(r"\b[0-9]{6}\b", twilio.sent()[-1][1])
    assert code is not None
    assert expert.post("/accounts/phone/verify/", code=code[0]).status_code == 302
    return code[0]


def talk(customer: Person, expert: Person) -> list[str]:
    """Ask, with a card's number in the wrong field, and talk; return the grants that let them in."""
    with customer.server.rows() as its:
        topic, card = Topic.objects.using(its).get(name="Python").pk, Card.objects.using(its).get().pk
    words = {"title": f"{TITLE} {CARD}", "details": f"{DETAILS} {CVC} {OTHER_NUMBER}"}
    words |= {"topic": str(topic), "card": str(card), "cap_minutes": "15"}
    session = customer.post("/ask/", **words).headers["Location"].strip("/").split("/")[-1]
    expert.post(f"/sessions/{session}/accept/")
    grants = [person.post(f"/sessions/{session}/join/").json()["grant"] for person in (customer, expert)]
    with customer.open(session) as page, expert.open(session) as other:
        page.join()
        other.join()
        page.say(type="chat", id=str(uuid4()), body=f"{LINE} {CARD}")
        other.hear("chat_line", "chat")
        page.socket.send(f'{{"type": "chat", "body": {SPOKEN_BADLY}')
        page.say(type=SPOKEN_BADLY, body=LINE)
        page.hear("error")
    customer.post(f"/sessions/{session}/end/")
    return grants


def provoke(visitor: Visitor, expert: Person, twilio: TwilioStandIn, mails: MailServer) -> None:
    """Have doors, providers and jobs fail, with secrets in what they are asked and in what they say."""
    visitor.get(f"/accounts/password/reset/key/{RESET_KEY}/")
    visitor.get(f"/?token={BEARER}", Authorization=f"Bearer {BEARER}", Cookie=f"sessionid={BAD_COOKIE}")
    visitor.get("/metrics", Authorization=f"Bearer {BEARER}")
    signed = {"Stripe-Signature": f"t=1,v1={WEBHOOK_SIGNATURE}", "Content-Type": "application/json"}
    for body in (f'{{"id": "evt_1", "object": "{WEBHOOK_WORDS}"}}', WEBHOOK_WORDS):
        visitor.http.post(f"{visitor.url}/billing/webhooks/stripe/", data=body, headers=signed, timeout=SECONDS)
    said = f"No {NUMBER}, {MAIL}, {CARD}: asked with {PROVIDER_WORDS_KEY}"
    mails.fault = "no such person"
    twilio.fail("/Messages/", 503, error(503, 20503, said), times=20)
    expert.server.manage("shell", "-v", "0", "-c", FAIL_LATER)
    assert visitor.get("/", **{"X-Request-ID": CONTROL}) == 200
    visitor.post("/accounts/password/reset/", email=MAIL)


# Jobs for the worker inside of the server: a mail that is refused, and a text of which Twilio tells nothing.
FAIL_LATER = f"""
from accounts import outbox
from accounts.jobs import look_into_text
from accounts.models import Message, User
from hopps.tasks import mail_operators
to = User.objects.get(email="expert@demo.test")
message = outbox.write(key="one", to=to, way=Message.Way.TEXT, purpose=Message.Purpose.REQUEST, address="{NUMBER}")
sent = outbox.send(message, outbox.Words(title="{TITLE}", text="{DETAILS}", url="", tag=""))
look_into_text("twilio", sent.gateway_ref)
mail_operators("{TITLE}", "{DETAILS} {MAIL}")
"""


def test_nothing_secret_is_in_the_log(server: LiveServer, twilio_peer: TwilioStandIn, mails: MailServer) -> None:
    visitor = Visitor(server)
    mailed = sign_up(visitor, mails)
    customer, expert = (Person(server, f"{name}@demo.test") for name in ("customer", "expert"))
    texted = verify_phone(expert, twilio_peer)
    grants = talk(customer, expert)
    provoke(visitor, expert, twilio_peer, mails)
    log = server.folder / "server.log"
    for told in ("SMTPRecipientsRefused", "was not told about"):
        eventually(lambda told=told: told in log.read_text(), f"Not logged: {told}")  # type: ignore[misc]
    server.stop()

    written = log.read_text()
    assert CONTROL in written
    lines = [json.loads(line) for line in written.splitlines()]
    assert {"hopps.access"} <= {line["logger"] for line in lines}
    # What failed is told all the same, without them.
    assert "No (phone number), (mail address), (card number): asked with sk_(secret)" in written
    cookies = [value or "" for one in (visitor.http, customer._http, expert._http) for value in one.cookies.values()]
    typed = [TITLE, DETAILS, LINE, SPOKEN_BADLY, PASSWORD, WRONG_PASSWORD, RESET_KEY, BEARER, BAD_COOKIE]
    sent = [
        WEBHOOK_SIGNATURE,
        WEBHOOK_WORDS,
        PROVIDER_WORDS_KEY,
        CARD,
        CARD.replace(" ", ""),
        CVC,
        MAIL,
        NUMBER,
        OTHER_NUMBER,
    ]
    ours = [*SETTINGS.values(), twilio_peer.settings["TWILIO_AUTH_TOKEN"]]
    secret = [*typed, *sent, *ours, *cookies, *grants, mailed, texted, "customer@demo.test", "expert@demo.test"]
    assert all(secret)
    assert [found for found in secret if found in written] == []
    assert "zebra" not in written.lower()
