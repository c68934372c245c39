"""The people of the crash tests, what they know, and what they do: in their browsers, at their banks, as jobs."""

from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.test import Client
from django.utils import timezone

from accounts.models import Topic, User
from billing import cards
from billing.customers import customer_ref
from billing.models import Card, GatewayEvent, Payment
from billing.tasks import heal
from billing.webhooks import handle
from sessions_app import room
from sessions_app.extend import extend
from sessions_app.models import Attendance, HelpSession, State
from sessions_app.settle import settle_when_empty
from sessions_app.sweep import sweep
from tests.peers.stripe_stand_in import APPROVED, StripeStandIn
from tests.people import make_active, make_expert, make_person, make_request

CAP_MINUTES = 15
PER_MINUTE = 200
CAP_MINOR = CAP_MINUTES * PER_MINUTE
LATER = timedelta(minutes=2)


def raise_the_curtain() -> None:
    """Make the people every attempt starts with."""
    topic = Topic.objects.create(area="engineering", name="Databases", slug="databases", price_per_minute=PER_MINUTE)
    make_person("alice@example.org", "Alice")
    make_expert("eve@example.org", "Eve", topic)
    make_person("olga@example.org", "Olga")
    User.objects.filter(email="olga@example.org").update(is_staff=True, is_superuser=True)


class Scene:
    """One process' view of it. `facts` is what people and browsers still know when the server died."""

    def __init__(self, peer: StripeStandIn, facts: dict[str, str]) -> None:
        self.peer = peer
        self.facts = facts
        self.topic = Topic.objects.get()
        self.alice, self.eve, self.olga = (
            User.objects.get(email=f"{name}@example.org") for name in ("alice", "eve", "olga")
        )
        self._browsers: dict[str, Client] = {}

    def browser(self, person: User) -> Client:
        """Return the browser of somebody who is signed in."""
        if person.email not in self._browsers:
            self._browsers[person.email] = client = Client(SERVER_NAME="127.0.0.1")
            client.force_login(person)
        return self._browsers[person.email]

    def sign_in(self, *people: User) -> None:
        """Sign people in beforehand, so that it is no part of the journey."""
        for person in people:
            self.browser(person)

    # --- before a journey ---

    def save_card(self, number: str = APPROVED) -> Card:
        """Give Alice a card at Stripe, known to us."""
        customer = customer_ref(owner=self.alice, gateway_name="stripe")
        method = self.peer.save_card(customer, number)
        return cards.add(
            owner=self.alice, gateway_ref=method["id"], brand="Visa", last4=method["card"]["last4"], gateway_name="stripe"
        )

    def request(self) -> None:
        """Let Alice have asked."""
        self.save_card()
        self.facts["session"] = str(make_request(self.alice, self.topic, cap_minutes=CAP_MINUTES).pk)

    def talk(self, *, seconds: int, holds: int = 1) -> None:
        """Let Alice and Eve have talked for so long, over so many holds of 15 minutes each."""
        self.save_card()
        session = make_active(self.alice, self.eve, self.topic, seconds=seconds, cap_minutes=CAP_MINUTES)
        self.facts["session"] = str(session.pk)
        for number in range(1, holds):
            card = cards.default_card(self.alice)
            assert card is not None
            extend(
                session=self.session(),
                customer=self.alice,
                minutes=CAP_MINUTES,
                card=card,
                seen_cap_minutes=number * CAP_MINUTES,
            )

    def charge(self, *, minutes: int, holds: int = 1) -> None:
        """Let a session with so many minutes to pay be over and charged; two more were free."""
        self.talk(seconds=(2 + minutes) * 60, holds=holds)
        self.end()

    # --- what people do ---

    def session(self) -> HelpSession:
        """Return the help session."""
        return HelpSession.objects.with_people().get(pk=UUID(self.facts["session"]))

    def payment(self) -> Payment:
        """Return the session's payment."""
        return Payment.objects.get(reference=UUID(self.facts["session"]))

    def ask(self, card: Card | None) -> None:
        """Send the ask box, and go wherever it leads: to Stripe's page, the bank's, and back."""
        words = {"topic": self.topic.pk, "title": "Query is slow", "details": "", "cap_minutes": CAP_MINUTES}
        if card is not None:
            words["card"] = card.pk
        answer = self.browser(self.alice).post("/ask/", words)
        # Where Stripe did not answer, the form comes back and says so.
        assert answer.status_code in (302, 422), answer.content.decode()
        self.follow(answer.headers.get("Location", ""))
        self.facts["session"] = str(HelpSession.objects.filter(customer=self.alice).latest("created_at").pk)

    def follow(self, address: str) -> None:
        """Go where the product sends Alice, press what is pressed there, and come back."""
        if not address.startswith(self.peer.url):
            return
        if "/pay/" in address:
            back = self.peer.pay(address).location
        else:
            back = self.peer.answer_bank(address, approved=True).location
        assert back is not None
        path = urlsplit(back)
        self.browser(self.alice).get(f"{path.path}?{path.query}")

    def act(self, name: str, **fields: Any) -> None:
        """Press a button of the session's page."""
        answer = self.browser(self.alice).post(f"/sessions/{self.facts['session']}/{name}/", fields)
        assert answer.status_code == 302, answer.content.decode()

    def end(self) -> None:
        """Alice ends the session, and both sockets close at the last sign of life: the second one brings the bill."""
        self.act("end")
        for stretch in Attendance.objects.filter(session=self.session(), left_at=None).order_by("joined_at", "pk"):
            room.go(attendance_id=stretch.pk, at=stretch.last_seen_at)
        # The job that the last goodbye sets.
        settle_when_empty(self.session().pk)

    def deliver(self, *kinds: str, only_new: bool = False) -> None:
        """Stripe delivers its events of these kinds, and the worker looks into them.

        `only_new`: not those we have written down, whether or not anybody has looked into them.
        """
        for event in self.peer.events(*kinds):
            if only_new and GatewayEvent.objects.filter(event_id=event["id"]).exists():
                continue
            body, signature = self.peer.signed(event)
            answer = Client(SERVER_NAME="127.0.0.1").post(
                "/billing/webhooks/stripe/",
                body,
                content_type="application/json",
                headers={"Stripe-Signature": signature},
            )
            assert answer.status_code == 200, answer.content.decode()
            handle(event=GatewayEvent.objects.get(event_id=event["id"]))

    # --- what jobs do ---

    def heal(self) -> None:
        """Two minutes later the periodic jobs run; who stays in the room has pinged until then."""
        now = self.now + LATER
        if "staying" in self.facts:
            active = list(HelpSession.objects.filter(state=State.ACTIVE))
            Attendance.objects.filter(session__in=active, left_at=None).update(last_seen_at=now)
        heal(now)
        sweep(now=now)

    @property
    def now(self) -> datetime:
        """The moment it is in the story: weeks pass in it by `facts["days"]`."""
        return timezone.now() + timedelta(days=int(self.facts.get("days", "0")))
