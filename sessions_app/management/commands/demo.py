"""Development data: people, topics, a card. Safe to run again."""

from typing import Any

from allauth.account.models import EmailAddress
from django.conf import settings
from django.contrib.auth.models import Group
from django.core.management.base import BaseCommand, CommandError

from accounts import applying, deciding, experts
from accounts.hours import Stretch
from accounts.models import ExpertProfile, Topic, User
from accounts.permissions import Team
from billing import cards
from billing.gateways.demo import TEST_CARDS, DemoGateway

PASSWORD = "demo-hopps-1"  # noqa: S105  known to everybody; the command refuses to run in production
TOPICS = (
    ("engineering", "Python", 200),
    ("engineering", "JavaScript", 200),
    ("engineering", "Databases", 250),
    ("engineering", "DevOps and cloud", 250),
    ("marketing", "SEO", 150),
    ("marketing", "Paid ads", 180),
    ("marketing", "Email", 150),
)
EXPERTS = (
    (
        "expert@demo.test",
        "Ada Demo",
        "Python and Postgres in production for 12 years",
        ("Python", "JavaScript", "Databases", "DevOps and cloud", "SEO"),
    ),
    (
        "expert2@demo.test",
        "Max Demo",
        "Growth marketer, formerly head of SEO at a marketplace",
        ("Python", "SEO", "Paid ads", "Email"),
    ),
)
# So that the demo works at night too.
ALL_WEEK = tuple(Stretch(weekday, 0, 0) for weekday in range(7))
LOGINS = "customer@demo.test, expert@demo.test, expert2@demo.test, operator@demo.test"


class Command(BaseCommand):
    help = "Load the development data: demo logins, topics with prices, two experts, one demo card."

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEVELOPMENT:
            raise CommandError("Demo logins have a public password: they are for HOPPS_ENV=development only.")
        topics = [_topic(position, *topic) for position, topic in enumerate(TOPICS)]
        customer = _person("customer@demo.test", "Cleo Demo")
        # With a real gateway there are no cards to choose from: the customer types one on its page.
        if DemoGateway.name == settings.PAYMENTS and not cards.cards_of(customer).exists():
            approved = TEST_CARDS[0]
            cards.add(owner=customer, gateway_ref=approved.ref, brand=approved.brand, last4=approved.last4)
        for email, name, headline, names in EXPERTS:
            user = _person(email, name)
            if not ExpertProfile.objects.filter(user=user).exists():
                chosen = [topic for topic in topics if topic.name in names]
                about = "Part of the development data."
                expert = applying.save_application(user=user, headline=headline, about=about, topics=chosen)
                deciding.approve_all(expert=expert)
                applying.set_hours(user=user, expert=expert, hours=ALL_WEEK, time_zone=user.time_zone)
                applying.devices_work(user=user)
                experts.set_availability(user=user, available=True)
        operator = _person("operator@demo.test", "Olga Demo")
        User.objects.filter(pk=operator.pk).update(is_staff=True, is_superuser=True)
        operator.groups.add(Group.objects.get(name=Team.MANAGER))
        if options["verbosity"]:
            self.stdout.write(f"Demo logins, password {PASSWORD}: {LOGINS}")


def _topic(position: int, area: str, name: str, price: int) -> Topic:
    slug = name.lower().replace(" ", "-")
    values = {"area": area, "name": name, "price_per_minute": price, "position": position}
    topic, _ = Topic.objects.get_or_create(slug=slug, defaults=values)
    return topic


def _person(email: str, name: str) -> User:
    user = User.objects.filter(email=email).first()
    if user is None:
        user = User.objects.create_user(email, PASSWORD, display_name=name)
    EmailAddress.objects.get_or_create(user=user, email=email, defaults={"verified": True, "primary": True})
    return user
