"""People, and a processor that does not answer."""

import socket
from collections.abc import Callable

import pytest
from pytest_django import Settings

from billing.models import Payment
from sessions_app.models import HelpSession
from tests.people import alice, bob, erin, eve, mona, nora, olga, sam, topic

__all__ = ["alice", "bob", "erin", "eve", "mona", "nora", "olga", "sam", "topic"]

Silence = Callable[[HelpSession], None]


@pytest.fixture
def silence(settings: Settings) -> Silence:
    """`silence(session)`: what is held for a session is held by a Stripe that takes no connection."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        settings.STRIPE_API_BASE = f"http://127.0.0.1:{taken.getsockname()[1]}"
    settings.STRIPE_SECRET_KEY = "sk_test_nobody"

    def move(session: HelpSession) -> None:
        Payment.objects.get(reference=session.pk).holds.update(gateway="stripe", gateway_ref="pi_1")

    return move
