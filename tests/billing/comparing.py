"""What the tests of reconcile share: comparing, and what came of it."""

from datetime import timedelta

from django.utils import timezone

from accounts.models import User
from billing.models import Payout
from billing.payouts import pay_out
from billing.reconcile import Difference, reconcile


def compare(gateway_name: str = "stripe", *, repair: bool = True, since_days: float = 14) -> list[Difference]:
    """Compare a while later, when nothing is being worked on any more.

    Args:
        since_days: how far back; 0 is a day after everything, when nothing of it is listed any more.
    """
    later = timezone.now() + (timedelta(minutes=10) if since_days else timedelta(days=1))
    return reconcile(gateway_name=gateway_name, since=later - timedelta(days=since_days), now=later, repair=repair)


def sentences(gateway_name: str = "stripe", *, repair: bool = True) -> list[str]:
    """Compare, and return what an operator reads."""
    return [str(difference) for difference in compare(gateway_name, repair=repair)]


def only(found: list[Difference]) -> Difference:
    assert len(found) == 1, [str(difference) for difference in found]
    return found[0]


def is_repaired(found: list[Difference]) -> bool:
    """Return whether the one difference is repaired, by its own word and by the next look."""
    return only(found).repaired and compare() == []


def paid(eve: User, period: str = "2026-W48") -> Payout:
    """Pay Eve out what is ripe."""
    later = timezone.now() + timedelta(days=3)
    payout = pay_out(expert=eve, currency="USD", period=period, now=later)
    assert payout is not None
    assert payout.state == Payout.State.PAID
    Payout.objects.filter(pk=payout.pk).update(created_at=timezone.now())
    payout.refresh_from_db()
    return payout
