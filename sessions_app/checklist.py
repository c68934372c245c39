"""What an expert still has to do before requests reach them everywhere and the money does too."""

from dataclasses import dataclass

from django.urls import reverse

from accounts.consent import number_for_texts
from accounts.models import ExpertProfile, Phone
from billing.payout_accounts import account_of

State = ExpertProfile.State


@dataclass(frozen=True)
class Item:
    """One thing to do: done or not, why it matters, and where to do it."""

    title: str
    done: bool
    why: str
    link: str = ""
    """Where it is done; empty where the expert cannot do it."""
    link_text: str = ""


def checklist(expert: ExpertProfile) -> list[Item]:
    """Return everything to do, what is done included; empty once all is done.

    It keeps nobody from being available: it says what is missing without each.

    Args:
        expert: with its user.
    """
    items = [_approval(expert), _hours(expert), _phone(expert), _payouts(expert), _devices(expert)]
    return [] if all(item.done for item in items) else items


def _approval(expert: ExpertProfile) -> Item:
    topics = f"{reverse('expert_settings')}#topics-title"
    match expert.state:
        case State.APPROVED:
            return Item("An operator approved you", done=True, why="Requests for your topics come to your board.")
        case State.REFUSED:
            why = "Not approved yet. The reasons stand at your topics: say what was missing and apply again."
            return Item("Be approved", done=False, why=why, link=topics, link_text="See the reasons")
        case State.SUSPENDED:
            why = "Your account is suspended: no requests come. Answer the operator's mail to sort it out."
            return Item("Be approved", done=False, why=why)
        case _:
            why = "An operator is looking at your application. The answer comes by mail; no requests come before."
            return Item("Be approved", done=False, why=why, link=topics, link_text="See your topics")


def _hours(expert: ExpertProfile) -> Item:
    if expert.hours.exists():
        return Item("Set your hours", done=True, why="Messages come within them only.")
    why = "Without hours no message reaches you: a request is heard on your open board only."
    return Item("Set your hours", done=False, why=why, link=reverse("expert_hours"), link_text="Set hours")


def _phone(expert: ExpertProfile) -> Item:
    if not Phone.objects.filter(user=expert.user).exists():
        why = "Without a phone we cannot text you when your board is closed."
        return Item("Verify your phone", done=False, why=why, link=reverse("account_change_phone"), link_text="Verify phone")
    if number_for_texts(expert.user) is None or not expert.by_text:
        why = "Your phone is verified, and texts are off: we do not text you when your board is closed."
        return Item("Switch texts on", done=False, why=why, link=f"{reverse('expert_reach')}#texts", link_text="Switch on")
    return Item("Verify your phone", done=True, why="We text you when your board is closed.")


def _payouts(expert: ExpertProfile) -> Item:
    account = account_of(expert.user)
    if account is not None and account.ready:
        return Item("Set up payouts", done=True, why="What you earn is paid out each week.")
    why = "Without an account to pay to, what you earn waits here."
    return Item("Set up payouts", done=False, why=why, link=reverse("earnings"), link_text="Set up payouts")


def _devices(expert: ExpertProfile) -> Item:
    if expert.devices_tested_at is not None:
        return Item("Test sound and devices", done=True, why="You hear the chime, and customers hear you.")
    why = "Without a test you may miss the chime, or a customer may not hear you."
    return Item("Test sound and devices", done=False, why=why, link=reverse("expert_check"), link_text="Test now")
