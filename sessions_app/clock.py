"""Billable time: pure functions over attendances and pauses (DESIGN §3)."""

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

Interval = tuple[datetime, datetime]


@dataclass(frozen=True)
class Stay:
    """One stretch of one person's presence, UTC, with a definite end."""

    person: Hashable
    start: datetime
    end: datetime
    media_at: datetime | None = None
    """Since when this page had the other's sound or picture; None: it never did."""


def union(intervals: Iterable[Interval]) -> list[Interval]:
    """Return `intervals` in order, overlapping and touching ones joined, empty and backward ones left out."""
    joined: list[Interval] = []
    for start, end in sorted(interval for interval in intervals if interval[0] < interval[1]):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def intersection(left: list[Interval], right: list[Interval]) -> list[Interval]:
    """Return the time in both, given two lists as `union` makes them."""
    common = []
    i = j = 0
    while i < len(left) and j < len(right):
        start, end = max(left[i][0], right[j][0]), min(left[i][1], right[j][1])
        if start < end:
            common.append((start, end))
        if left[i][1] < right[j][1]:
            i += 1
        else:
            j += 1
    return common


def difference(left: list[Interval], right: list[Interval]) -> list[Interval]:
    """Return the time in `left` and not in `right`, given two lists as `union` makes them."""
    rest = []
    for start, end in left:
        for cut_start, cut_end in right:
            if cut_end <= start or cut_start >= end:
                continue
            if start < cut_start:
                rest.append((start, cut_start))
            start = cut_end
            if start >= end:
                break
        if start < end:
            rest.append((start, end))
    return rest


def billable_intervals(attendances: Iterable[Stay], pauses: Iterable[Interval]) -> list[Interval]:
    """Return the time both people were present, less the pauses.

    Args:
        attendances: stays of the two participants, in any order; one person's may overlap (two tabs).
        pauses: stretches in which the clock was stopped, in any order.

    Returns:
        Disjoint intervals in order. Empty unless exactly two people attended.
    """
    by_person: dict[Hashable, list[Interval]] = {}
    for stay in attendances:
        by_person.setdefault(stay.person, []).append((stay.start, stay.end))
    if len(by_person) != 2:
        return []
    one, two = (union(intervals) for intervals in by_person.values())
    return difference(intersection(one, two), union(pauses))


def call_worked(attendances: Iterable[Stay], pauses: Iterable[Interval]) -> bool:
    """Return whether the two were ever connected while the clock ran: the page of either had the other's media then.

    One side's word is enough. A customer whose page keeps silent does not get the call for nothing, for the expert's page
    speaks too; and an expert gains nothing by silence.
    """
    stays = list(attendances)
    return any(
        max(start, stay.start, stay.media_at) < min(end, stay.end)
        for start, end in billable_intervals(stays, pauses)
        for stay in stays
        if stay.media_at is not None
    )


def total_seconds(intervals: Iterable[Interval]) -> float:
    """Return the length of disjoint `intervals` together, in seconds."""
    return sum(((end - start) for start, end in intervals), timedelta()).total_seconds()


def moment_of(intervals: Iterable[Interval], seconds: float) -> datetime | None:
    """Return when the running total over `intervals` reached `seconds`, or None where it has not."""
    left = timedelta(seconds=seconds)
    for start, end in intervals:
        if end - start >= left:
            return start + left
        left -= end - start
    return None
