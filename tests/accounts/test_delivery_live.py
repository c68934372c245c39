"""Over the wire: a server texts by Twilio, Twilio calls it back, and its job worker asks what became of the text."""

import threading
import time

from accounts.models import Message
from tests.conftest import StartServer
from tests.live import LiveServer
from tests.peers.twilio_stand_in import TwilioStandIn

NUMBER = "+436641230001"
SITE = "https://hopps.example.org"
SEND = f"""
from accounts import outbox
from accounts.models import Message, User
to = User.objects.get(email="expert@demo.test")
message = outbox.write(key="one", to=to, way=Message.Way.TEXT, purpose=Message.Purpose.REQUEST, address="{NUMBER}")
print(outbox.send(message, outbox.Words(title="", text="A request for you.", url="", tag="")).gateway_ref)
"""
SECONDS = 20.0


def outcome(server: LiveServer) -> tuple[str, int | None, str]:
    """Return the text's state, cost and currency."""
    with server.rows() as its:
        message = Message.objects.using(its).get()
    return message.state, message.cost_micros, message.cost_currency


def test_a_signed_callback_brings_outcome_and_cost(start_server: StartServer, twilio_peer: TwilioStandIn) -> None:
    server = start_server(**twilio_peer.settings, PUBLIC_URL=SITE)
    ref = server.manage("shell", "-v", "0", "-c", SEND).split()[-1]
    assert twilio_peer.sent() == [(NUMBER, "A request for you.")]
    twilio_peer.set_text(ref, status="delivered", price="-0.07250", price_unit="EUR")
    url, fields, signature = twilio_peer.callback(ref, "delivered")
    assert url == f"{SITE}/sessions/webhooks/twilio/"
    here = url.replace(SITE, server.url)
    assert twilio_peer.deliver(here, fields, signature[::-1]) == 403
    for _ in range(2):
        assert twilio_peer.deliver(here, fields, signature) == 204
    ended, pause = time.monotonic() + SECONDS, threading.Event()
    while outcome(server)[1] is None:
        assert time.monotonic() < ended, "No job asked what became of the text."
        pause.wait(0.05)
    assert outcome(server) == (Message.State.DELIVERED, 72_500, "EUR")
