"""The soak's judge finds each kind of wrong, and nothing where all is well."""

from dataclasses import replace

import pytest

from benchmarks.soak.judge import judge
from benchmarks.soak.judge_bills import price_of, seconds_together
from benchmarks.soak.record import Closed, Opened, Record, Span, State, Visit
from tests.benchmarks.soak_records import DUE, findings, good_record, with_bill


def board(record: Record, expert: str) -> list[Opened | Closed | State]:
    (news,) = (board.news for board in record.boards if board.expert == expert)
    return news


def test_where_all_went_well_it_looks_at_every_promise_and_finds_nothing() -> None:
    verdicts = judge(good_record())
    assert [verdict.findings for verdict in verdicts] == [()] * len(verdicts)
    assert all(verdict.looked_at for verdict in verdicts)


def test_a_lost_chime_is_found() -> None:
    record = good_record()
    board(record, "erin").remove(Opened(10.2, "s1"))
    assert "the board of erin was not chimed for request s1" in findings(record)


def test_a_chime_that_came_twice_is_found() -> None:
    record = good_record()
    board(record, "erin").insert(2, Opened(10.3, "s1"))
    assert findings(record) == ["the board of erin was chimed 2 times for request s1"]


def test_a_chime_for_another_topics_board_is_found() -> None:
    record = good_record()
    board(record, "max").extend([Opened(10.2, "s1"), Closed(12.2, "s1")])
    assert findings(record) == ["the board of max was chimed for request s1, which is not for it"]


def test_a_chime_for_an_expert_who_is_away_is_found_and_one_in_the_moment_of_leaving_is_not() -> None:
    away = good_record()
    away.boards[1].hears = [(0, False)]
    assert findings(away) == ["the board of erin was chimed for request s1, which is not for it"]
    leaving = good_record()
    leaving.boards[1].hears = [(0, True), (10.1, None), (10.3, False)]
    assert findings(leaving) == []


def test_a_taken_request_that_stays_on_a_board_is_found() -> None:
    record = good_record()
    board(record, "erin").remove(Closed(12.2, "s1"))
    assert findings(record) == ["the board of erin was not told that request s1 is gone", "the board of erin still shows s1"]


def test_a_request_that_comes_back_after_it_was_taken_is_found() -> None:
    record = good_record()
    board(record, "erin")[1:] = [Closed(12.2, "s1"), Opened(12.3, "s1")]
    assert "the board of erin was chimed for request s1 after it was gone" in findings(record)


@pytest.mark.parametrize(
    ("heard", "said"),
    [
        (["a1", "a2"], "in session s1, the expert heard chat line e1 0 times"),
        (["a1", "e1", "a2", "a1"], "in session s1, the expert heard chat line a1 2 times"),
        (["a2", "e1", "a1"], "in session s1, the expert heard chat lines in another order than they were written in"),
        (["a1", "a2", "e1"], "in session s1, the two heard the chat in different orders"),
    ],
    ids=["lost", "twice", "out of order", "another order than the other side"],
)
def test_a_line_of_chat_that_is_lost_doubled_or_late_is_found(heard: list[str], said: str) -> None:
    record = good_record()
    assert record.journeys[0].expert is not None
    record.journeys[0].expert.heard = heard
    assert said in findings(record)


def test_an_edit_of_the_notes_that_one_side_missed_or_that_stands_there_twice_is_found() -> None:
    missed, twice = good_record(), good_record()
    missed.journeys[0].customer.revisions.pop()
    assert findings(missed) == ["in session s1, the customer heard edits [1] of the 2 that were made"]
    twice.journeys[0].notes = "n1\nn1\nn2\n"
    assert findings(twice) == ["in session s1, what edit n1 put into the notes stands there 2 times"]


def test_a_state_that_comes_back_is_found() -> None:
    record = good_record()
    record.journeys[0].customer.states = ["accepted", "active", "ended", "active"]
    assert findings(record) == ["in session s1, the customer was told the states accepted active ended"]


def test_two_seconds_too_many_on_a_bill_are_found() -> None:
    record = with_bill(good_record(), billable_seconds=33)
    assert "session s1 is billed 33 s; the two saw 30.00 to 30.20 s" in findings(record)


def test_a_minor_unit_too_much_for_the_seconds_is_found() -> None:
    record = with_bill(good_record(), amount=DUE + 1)
    assert findings(record) == [f"session s1 costs {DUE + 1} for 30 s; the price makes it {DUE}"]


def test_a_charge_that_is_not_what_is_due_or_not_what_was_taken_or_not_what_is_booked_is_found() -> None:
    record = with_bill(good_record(), charged=DUE - 10)
    assert set(findings(record)) == {
        f"session s1: {DUE - 10} was charged of {DUE}",
        f"session s1: {DUE - 10} charged, and the processor took {DUE}",
        f"session s1: booked ((-250, 200, 50, 0),), not ((-{DUE - 10}, 192, 48, 0),)",
        f"payments come to {DUE - 10}, the ledger says {DUE}",
    }


def test_a_posting_that_does_not_sum_to_zero_is_found() -> None:
    record = with_bill(good_record(), postings=((-DUE, 200, 49, 0),))
    assert "session s1: the posting (-250, 200, 49, 0) does not sum to zero" in findings(record)


def test_a_pair_that_met_before_has_no_free_seconds() -> None:
    record = good_record()
    assert record.books is not None
    (bill,) = record.books.bills
    earlier = replace(bill, session="s0", accepted_at=1.0, billable_seconds=20)
    record.books = replace(record.books, bills=(earlier, bill))
    assert f"session s1 costs {DUE} for 30 s; the price makes it 300" in findings(record)


def test_money_still_held_and_whoever_is_still_in_a_room_are_found() -> None:
    record = with_bill(good_record(), still_held=9000)
    assert record.books is not None
    record.books = replace(record.books, open_attendances=1)
    assert findings(record) == ["session s1: its payment is charged, 9000 held", "1 attendances are open"]


def test_a_server_error_and_a_line_in_a_log_are_found() -> None:
    record = good_record()
    record.answers[500] = 2
    record.mishaps.append("web1.log: Traceback (most recent call last):")
    assert findings(record) == ["2 answers had status 500", "web1.log: Traceback (most recent call last):"]


def test_time_together_is_without_the_pauses_and_without_what_one_was_away() -> None:
    (journey,) = good_record().journeys
    assert journey.expert is not None
    journey.pauses = [(Span(20, 20.1), Span(25, 25.1))]
    journey.expert.visits = [Visit(Span(14.9, 15), Span(30, 30.1)), Visit(Span(35, 35.1), Span(45, 45.1))]
    least, most = seconds_together(journey, journey.customer, journey.expert)
    assert (round(least, 3), round(most, 3)) == (15 - 5.1 + 9.9, 15.2 - 4.9 + 10.1)


@pytest.mark.parametrize(("seconds", "due"), [(5, 0), (6, 10), (65, 600), (10_000, 9000)])
def test_the_price_is_by_the_second_after_the_free_ones_and_never_above_the_cap(seconds: int, due: int) -> None:
    (journey,) = good_record().journeys
    assert price_of(seconds, journey, free_seconds=5) == due
