"""Billable time: what is counted, and what never is."""

from datetime import UTC, datetime, timedelta
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from sessions_app.clock import Interval, Stay, billable_intervals, moment_of, total_seconds, union

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def stay(person: str, start: float, end: float) -> Stay:
    return Stay(person, at(start), at(end))


def spans(intervals: list[Interval]) -> list[tuple[float, float]]:
    return [((start - NOON).total_seconds(), (end - NOON).total_seconds()) for start, end in intervals]


def test_it_counts_the_time_both_were_there() -> None:
    assert spans(billable_intervals([stay("customer", 0, 100), stay("expert", 30, 130)], [])) == [(30, 100)]


def test_it_counts_nothing_while_only_one_is_there() -> None:
    assert billable_intervals([stay("customer", 0, 500)], []) == []
    assert billable_intervals([stay("customer", 0, 50), stay("expert", 50, 99)], []) == []


def test_it_leaves_out_the_pauses() -> None:
    stays = [stay("customer", 0, 100), stay("expert", 0, 100)]
    pauses = [(at(20), at(30)), (at(25), at(40)), (at(90), at(300))]
    assert spans(billable_intervals(stays, pauses)) == [(0, 20), (40, 90)]


def test_it_does_not_bill_a_gap() -> None:
    stays = [stay("customer", 0, 40), stay("customer", 60, 100), stay("expert", 0, 100)]
    assert spans(billable_intervals(stays, [])) == [(0, 40), (60, 100)]


def test_it_counts_two_tabs_of_one_person_once() -> None:
    stays = [stay("customer", 0, 60), stay("customer", 30, 100), stay("expert", 0, 100)]
    assert total_seconds(billable_intervals(stays, [])) == 100


def test_it_finds_the_moment_a_total_was_reached() -> None:
    intervals = [(at(0), at(40)), (at(60), at(100))]
    assert moment_of(intervals, 40) == at(40)
    assert moment_of(intervals, 50) == at(70)
    assert moment_of(intervals, 81) is None


seconds = st.integers(min_value=0, max_value=20_000)
stays = st.lists(st.builds(stay, st.sampled_from(["customer", "expert"]), seconds, seconds), max_size=12)
pauses = st.lists(st.tuples(seconds.map(at), seconds.map(at)), max_size=6)


def presence(all_stays: list[Stay], person: str) -> float:
    return total_seconds(union((s.start, s.end) for s in all_stays if s.person == person))


@given(stays, pauses)
def test_it_is_never_negative_and_never_more_than_the_shorter_attendance(
    all_stays: list[Stay], all_pauses: list[Interval]
) -> None:
    billed = total_seconds(billable_intervals(all_stays, all_pauses))
    assert 0 <= billed <= min(presence(all_stays, "customer"), presence(all_stays, "expert"))


@given(stays, pauses, st.randoms(use_true_random=False))
def test_the_order_of_the_rows_does_not_matter(all_stays: list[Stay], all_pauses: list[Interval], random: Random) -> None:
    shuffled_stays, shuffled_pauses = list(all_stays), list(all_pauses)
    random.shuffle(shuffled_stays)
    random.shuffle(shuffled_pauses)
    assert billable_intervals(shuffled_stays, shuffled_pauses) == billable_intervals(all_stays, all_pauses)


@given(stays, pauses)
def test_every_billed_second_had_both_and_no_pause(all_stays: list[Stay], all_pauses: list[Interval]) -> None:
    for start, end in billable_intervals(all_stays, all_pauses):
        middle = start + (end - start) / 2
        assert {s.person for s in all_stays if s.start <= middle < s.end} == {"customer", "expert"}
        assert not any(pause_start <= middle < pause_end for pause_start, pause_end in all_pauses)


@given(stays, pauses, st.tuples(seconds.map(at), seconds.map(at)))
def test_a_further_pause_never_makes_it_dearer(all_stays: list[Stay], all_pauses: list[Interval], more: Interval) -> None:
    before = total_seconds(billable_intervals(all_stays, all_pauses))
    assert total_seconds(billable_intervals(all_stays, [*all_pauses, more])) <= before
