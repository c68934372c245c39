"""What /metrics shows of money: what the ledger took up today and yesterday."""

from collections.abc import Iterator
from datetime import timedelta

from django.db.models import Sum
from django.utils import timezone
from prometheus_client.core import GaugeMetricFamily, Metric

from billing.models import Posting

# What each kind of posting is called here, and the sign of what its customer, or of a payout its expert, gained.
_SHOWN = {
    Posting.Kind.CHARGE: ("charged", -1),
    Posting.Kind.REFUND: ("refunded", 1),
    Posting.Kind.DISPUTE: ("disputed", 1),
    Posting.Kind.PAYOUT: ("paid_out", -1),
}


def money() -> Iterator[Metric]:
    """Yield what was charged, refunded, disputed and paid out, less what came back, in minor units, by day and currency."""
    shown = GaugeMetricFamily(
        "hopps_money_minor", "By the ledger, in minor units; days are UTC.", labels=["day", "what", "currency"]
    )
    today = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
    for day, since in (("today", today), ("yesterday", today - timedelta(days=1))):
        postings = Posting.objects.filter(posted_at__gte=since, posted_at__lt=since + timedelta(days=1))
        sums = postings.order_by().values_list("kind", "currency").annotate(Sum("customer"), Sum("expert"))
        for kind, currency, customer, expert in sums:
            what, sign = _SHOWN[Posting.Kind(kind)]
            shown.add_metric([day, what, currency], sign * (expert if kind == Posting.Kind.PAYOUT else customer))
    yield shown
