"""What all kinds of comparison share: whose books, how far back, and what becomes of a difference."""

import logging
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, TypeVar

from django.db.models import Model, QuerySet

from billing.gateways.base import Gateway, GatewayError
from billing.models import Hold

T = TypeVar("T")
M = TypeVar("M", bound=Model)

logger = logging.getLogger(__name__)

# What is younger is still being worked on, and differs by nature.
SETTLING = timedelta(minutes=5)
# The gateway's clock may be behind ours.
CLOCKS_APART = timedelta(hours=1)
# How many entries, or rows of ours, are looked at together: as many as Stripe gives at once.
PAGE = 100


@dataclass(frozen=True)
class Difference:
    """Something our books and the gateway's do not agree on; `repaired` where they do by now."""

    what: str
    repaired: bool

    def __str__(self) -> str:
        return f"{self.what} {'Repaired.' if self.repaired else 'Needs a person.'}"


@dataclass(frozen=True)
class Run:
    """One comparison of our books with a gateway's.

    Attributes:
        since: UTC; how far back.
        now: UTC.
        repair: whether to write anything at all.
    """

    processor: Gateway
    since: datetime
    now: datetime
    repair: bool

    @property
    def settled_before(self) -> datetime:
        """What happened later is left to the next run."""
        return self.now - SETTLING

    @property
    def listed_since(self) -> datetime:
        """From when on to list the gateway's entries, so that none of ours is missing."""
        return self.since - CLOCKS_APART

    def is_ours(self, hold_ref: str) -> bool:
        """Return whether a hold the gateway calls so is of our books, whatever site its mark names: sites move."""
        return Hold.objects.filter(gateway=self.processor.name, gateway_ref=hold_ref).exists()

    def differs(self, what: str, mend: Callable[[], object] | None = None) -> Difference:
        """Return the difference, mended where that is safe and wanted. `mend` answers False where it could not."""
        if mend is None or not self.repair:
            return Difference(what, repaired=False)
        try:
            return Difference(what, repaired=mend() is not False)
        except GatewayError as problem:
            return Difference(f"{what} ({problem.in_full})", repaired=False)
        except Exception as mistake:
            # Ours. The next difference is no worse for it.
            logger.exception("Reconcile: the repair broke. %s", what)
            return Difference(f"{what} ({_named(mistake)})", repaired=False)

    def apart(self, name: str, differences: Iterator[Difference]) -> Iterator[Difference]:
        """Yield the differences of one thing called `name`; where comparing it does not work, that is one."""
        try:
            yield from differences
        except GatewayError as problem:
            yield Difference(f"{name} could not be compared ({problem.in_full})", repaired=False)
        except Exception as mistake:
            logger.exception("Reconcile: %s could not be compared", name)
            yield Difference(f"{name} could not be compared ({_named(mistake)}).", repaired=False)


def _named(mistake: Exception) -> str:
    return f"{type(mistake).__name__}: {mistake}"


def pages(entries: Iterable[T]) -> Iterator[list[T]]:
    """Yield entries by the hundred, each lot read when it is wanted."""
    rest = iter(entries)
    while page := list(islice(rest, PAGE)):
        yield page


def by_page(rows: QuerySet[M], *, but: Collection[Any] = ()) -> Iterator[M]:
    """Yield rows by the hundred, each lot read when it is wanted: what was written meanwhile is in it.

    Args:
        but: primary keys to leave out. Compared here, as a statement cannot name any number of them.
    """
    keys = [key for key in rows.values_list("pk", flat=True) if key not in but]
    for page in pages(keys):
        yield from rows.filter(pk__in=page)
