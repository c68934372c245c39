"""Which backups are kept, and which go."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

DAYS, WEEKS, MONTHS = 14, 8, 12
# Younger than this all are kept: those made before a deploy, too.
ALL_FOR = timedelta(days=2)


@dataclass(frozen=True)
class _Rule:
    count: int
    period: Callable[[datetime], object]


_RULES = (
    _Rule(DAYS, lambda moment: moment.date()),
    _Rule(WEEKS, lambda moment: moment.isocalendar()[:2]),
    _Rule(MONTHS, lambda moment: (moment.year, moment.month)),
)


def kept(moments: Iterable[datetime]) -> set[datetime]:
    """Return which of the backups made at these moments (UTC) are kept.

    The last of each of the 14 newest days that have one, of the 8 newest weeks and of the 12 newest months; and all of the
    two days before the newest. The newest is always among them: the rule does not ask what day it is, so a site that makes
    no more backups loses none.
    """
    newest_first = sorted(set(moments), reverse=True)
    stay = {moment for moment in newest_first if moment >= newest_first[0] - ALL_FOR}
    for rule in _RULES:
        last_of: dict[object, datetime] = {}
        for moment in newest_first:
            last_of.setdefault(rule.period(moment), moment)
        stay.update(list(last_of.values())[: rule.count])
    return stay
