"""Jobs. huey finds this module by its name."""

import logging
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.utils import timezone
from huey import crontab
from huey.contrib.djhuey import db_periodic_task, db_task

from billing.capture import heal_closed
from billing.disputes import heal_disputes
from billing.forget import forget_payloads
from billing.gateways.base import GatewayError
from billing.holds import heal_pending
from billing.models import GatewayEvent
from billing.payouts import heal_payouts, pay_everybody
from billing.reconcile import DAYS, reconcile
from billing.refund import heal_refunds
from billing.webhooks import handle, heal_events
from hopps.each import look_after
from hopps.jobs import alone
from hopps.tasks import mail_operators

logger = logging.getLogger(__name__)


def heal(now: datetime) -> None:
    """Finish everything about money that a crash or a silent processor interrupted. Safe to repeat.

    Args:
        now: UTC; what is younger than a minute is still being worked on and left alone.
    """
    parts = (heal_pending, heal_closed, heal_refunds, heal_disputes, heal_events, heal_payouts)
    look_after(parts, lambda part: part(now), name="Part of the sweep")


@db_periodic_task(crontab(minute="*"))  # type: ignore[untyped-decorator]  # huey has no types
def heal_every_minute() -> None:
    """Once a minute, `heal`; not while the minute before is still at it."""
    with alone("heal") as mine:
        if mine:
            heal(timezone.now())


@db_task(retries=3, retry_delay=10)  # type: ignore[untyped-decorator]
def look_into(event_id: str) -> None:
    """Look into one event of a gateway's."""
    handle(event=GatewayEvent.objects.get(pk=UUID(event_id)))


# Again each hour of the Monday: a worker that was down at six, or an account made ready at ten, waits no week.
@db_periodic_task(crontab(minute="0", hour="6-23", day_of_week="1"))  # type: ignore[untyped-decorator]
def pay_experts_on_mondays() -> None:
    """Pay out what experts earned; the week's payout of an expert is made once."""
    pay_everybody(timezone.now())


@db_periodic_task(crontab(minute="17", hour="3"))  # type: ignore[untyped-decorator]
def reconcile_nightly() -> None:
    """Compare our books with the gateway's, and tell operators what differed, or that nothing could be compared."""
    now = timezone.now()
    try:
        found = reconcile(gateway_name=settings.PAYMENTS, since=now - timedelta(days=DAYS), now=now)
    except Exception as problem:
        # Whatever it was: a night without news must mean that all agreed.
        logger.exception("Reconcile could not run")
        why = problem.in_full if isinstance(problem, GatewayError) else f"{type(problem).__name__}: {problem}"
        mail_operators(
            "Reconcile could not run",
            f"Our books were not compared to the end last night:\n\n{why}\n\n"
            "It runs again next night, or now by `manage.py reconcile`. What it repaired before is in the log.\n",
        )
        return
    if found:
        mail_operators(f"Reconcile found {len(found)} differences", "\n".join(str(difference) for difference in found))


@db_periodic_task(crontab(minute="7", hour="3"))  # type: ignore[untyped-decorator]
def forget_nightly() -> None:
    """Empty what old events carried."""
    forget_payloads(timezone.now())
