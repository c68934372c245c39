"""Whether everybody pays for the time both were there, and for nothing else: the rules of DESIGN §3, said once more."""

from collections.abc import Iterator

from benchmarks.soak.record import Bill, Books, Journey, Record, Side, Terms

Stretch = tuple[float, float]

# How far the seconds of a bill may be from what was seen on the wire.
SECONDS_OFF = 1.0


def bill_findings(record: Record) -> Iterator[str | None]:
    """Compare each session's seconds, amount and receipt with what both sides saw."""
    bills = {bill.session: bill for bill in _books(record).bills}
    for journey in record.journeys:
        bill = bills.get(journey.session)
        if bill is None:
            yield f"session {journey.session} is not in the books"
            continue
        if journey.ended is None or journey.expert is None:
            free = bill.amount == bill.charged == 0
            yield (
                None if free else f"request {journey.session} was never held and costs {bill.amount}, {bill.charged} charged"
            )
            continue
        least, most = seconds_together(journey, journey.customer, journey.expert)
        if not least - SECONDS_OFF <= bill.billable_seconds <= most + SECONDS_OFF:
            yield f"session {journey.session} is billed {bill.billable_seconds} s; the two saw {least:.2f} to {most:.2f} s"
        is_new = not any(_was_before(earlier, bill) for earlier in bills.values())
        due = price_of(bill.billable_seconds, journey, record.terms.free_seconds if is_new else 0)
        if bill.amount != due:
            yield f"session {journey.session} costs {bill.amount} for {bill.billable_seconds} s; the price makes it {due}"
        paid = due if due >= record.terms.least_charge else 0
        if bill.charged != paid:
            yield f"session {journey.session}: {bill.charged} was charged of {due}"
        shown = f"${paid // 100:,}.{paid % 100:02}"
        yield (
            None
            if journey.receipt_total == shown
            else (f"the receipt of session {journey.session} says {journey.receipt_total}, not {shown}")
        )


def seconds_together(journey: Journey, one: Side, other: Side) -> tuple[float, float]:
    """Return how long both were there with the clock running: what is sure, and what is possible, in seconds."""
    assert journey.ended is not None
    sure = _both(
        [(visit.came.answered, min(visit.left.sent, journey.ended.sent)) for visit in one.visits],
        [(visit.came.answered, min(visit.left.sent, journey.ended.sent)) for visit in other.visits],
    )
    possible = _both(
        [(visit.came.sent, min(visit.left.answered, journey.ended.answered)) for visit in one.visits],
        [(visit.came.sent, min(visit.left.answered, journey.ended.answered)) for visit in other.visits],
    )
    stood_still = [(stop.sent, go.answered) for stop, go in journey.pauses]
    surely_still = [(stop.answered, go.sent) for stop, go in journey.pauses]
    return _length(sure) - _length(_both(sure, stood_still)), _length(possible) - _length(_both(possible, surely_still))


def price_of(seconds: int, journey: Journey, free_seconds: int) -> int:
    """Return what `seconds` cost: the free ones first, then by the second, rounded up once, never above the cap."""
    paid = max(0, seconds - free_seconds)
    whole, rest = divmod(paid * journey.price_per_minute, 60)
    return min(whole + (1 if rest else 0), journey.price_per_minute * journey.cap_minutes)


def money_findings(record: Record) -> Iterator[str | None]:
    """Every charge is what the processor took, and is booked: all of it, shared out, and to the last unit."""
    books = _books(record)
    for bill in books.bills:
        if bill.captured != bill.charged:
            yield f"session {bill.session}: {bill.charged} charged, and the processor took {bill.captured}"
        for posting in bill.postings:
            yield None if sum(posting) == 0 else f"session {bill.session}: the posting {posting} does not sum to zero"
        due = _postings_of(bill, record.terms)
        yield None if bill.postings == due else f"session {bill.session}: booked {bill.postings}, not {due}"
    yield None if sum(books.ledger) == 0 else f"the ledger sums to {sum(books.ledger)}: {books.ledger}"
    charged, taken = sum(bill.charged for bill in books.bills), -books.ledger[0]
    yield None if charged == taken else f"payments come to {charged}, the ledger says {taken}"


def open_findings(record: Record) -> Iterator[str | None]:
    """Nobody waits, nobody is in a room, no money is held, no job is left."""
    books = _books(record)
    for bill in books.bills:
        yield None if bill.state in ("ended", "cancelled") else f"session {bill.session} is still {bill.state}"
        over = bill.payment_state in ("charged", "released") and not bill.still_held
        yield None if over else f"session {bill.session}: its payment is {bill.payment_state}, {bill.still_held} held"
    yield None if not books.open_attendances else f"{books.open_attendances} attendances are open"
    yield None if not books.open_holds else f"{books.open_holds} holds are open"
    yield None if not books.waiting_jobs else f"{books.waiting_jobs} jobs wait"


def _books(record: Record) -> Books:
    if record.books is None:
        raise ValueError("The books were not read.")
    return record.books


def _was_before(earlier: Bill, bill: Bill) -> bool:
    """Return whether this pair had billed time before: then there is no fit window."""
    if earlier.accepted_at is None or bill.accepted_at is None or earlier.billable_seconds == 0:
        return False
    pair = (earlier.customer, earlier.expert) == (bill.customer, bill.expert)
    return pair and earlier.accepted_at < bill.accepted_at


def _postings_of(bill: Bill, terms: Terms) -> tuple[tuple[int, int, int, int], ...]:
    """The fee is rounded down in the expert's favour."""
    if not bill.charged:
        return ()
    fee = bill.charged * terms.fee_percent // 100
    return ((-bill.charged, bill.charged - fee, fee, 0),)


def _both(one: list[Stretch], other: list[Stretch]) -> list[Stretch]:
    """Return the time that is in both; the stretches of each do not overlap."""
    common = [(max(a, c), min(b, d)) for a, b in one for c, d in other]
    return [(start, end) for start, end in common if start < end]


def _length(stretches: list[Stretch]) -> float:
    return sum(end - start for start, end in stretches)
