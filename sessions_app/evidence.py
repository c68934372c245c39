"""What happened in a session, line by line, for operators who answer a report or a dispute."""

from collections import Counter
from collections.abc import Iterator

from django.db.models import Count, Max

from accounts.models import User
from billing.evidence import EvidenceLine
from billing.models import Hold
from hopps.money import format_money
from sessions_app import notes
from sessions_app.chat_words import size_text
from sessions_app.models import HelpSession, TimelineEntry, VideoEvent
from sessions_app.video import told

Kind = TimelineEntry.Kind

# Told more exactly by rows of their own, here or in billing.
ELSEWHERE = {
    Kind.REQUESTED, Kind.JOINED, Kind.LEFT, Kind.PAUSED, Kind.CHARGED, Kind.REFUNDED, Kind.DISPUTED, Kind.RATED,
    Kind.REPORTED, Kind.ANSWERED,
}  # fmt: skip
# So much of a line of chat says what it was about.
FIRST_WORDS = 120


def evidence_of(session: HelpSession) -> list[EvidenceLine]:
    """Return the request's words, who was in the room when and if the two were connected, chat, notes, pauses and opinions.

    In no order; fifteen queries at most, however long the session was.
    """
    parts = (_request, _timeline, _attendances, _pauses, _chat, _notes, _video, _bill, _rating, _cases)
    return [line for part in parts for line in part(session)]


def _who(session: HelpSession, person: User | None) -> str:
    if person is None:
        return "Hopps"
    role = {session.customer_id: " (customer)", session.expert_id: " (expert)"}.get(person.pk, "")
    return f"{person}{role}"


def _request(session: HelpSession) -> Iterator[EvidenceLine]:
    price = format_money(session.price_per_minute, session.currency)
    # The cap as it was when they asked: what the first hold reserved. Extensions came later, and have lines of their own.
    first = Hold.objects.filter(payment__reference=session.pk, placed_at__isnull=False).order_by("sequence").first()
    most = format_money(first.amount_minor if first else session.price.cap_minor, session.currency)
    details = f" {session.details}" if session.details else ""
    yield EvidenceLine(
        session.requested_at or session.created_at,
        _who(session, session.customer),
        f"Asked for help in {session.topic} at {price} a minute, at most {most}: “{session.title}”.{details}",
    )


def _timeline(session: HelpSession) -> Iterator[EvidenceLine]:
    for entry in session.timeline.exclude(kind__in=ELSEWHERE).select_related("by"):
        what = entry.get_kind_display() + (f": {entry.note}" if entry.note else "")
        yield EvidenceLine(entry.at, _who(session, entry.by), f"{what[:1].upper()}{what[1:]}.")


def _attendances(session: HelpSession) -> Iterator[EvidenceLine]:
    for stretch in session.attendances.select_related("person"):
        who = _who(session, stretch.person)
        yield EvidenceLine(stretch.joined_at, who, "Came into the room.")
        if stretch.media_at is not None:
            yield EvidenceLine(stretch.media_at, who, "Was connected: the other's sound and picture came through.")
        without = "" if stretch.media_at is not None else ", and was never connected to the other in this stretch"
        if stretch.left_at is not None:
            yield EvidenceLine(stretch.left_at, who, f"Left the room{without}.")
        else:
            yield EvidenceLine(stretch.last_seen_at, who, f"Was last seen in the room{without}.")


def _pauses(session: HelpSession) -> Iterator[EvidenceLine]:
    for pause in session.pauses.select_related("by"):
        until = f" until {pause.ended_at:%H:%M:%S} UTC" if pause.ended_at is not None else ", to the end"
        yield EvidenceLine(pause.started_at, _who(session, pause.by), f"Paused the clock{until}.")


def _chat(session: HelpSession) -> Iterator[EvidenceLine]:
    files = session.files.in_bulk()
    lines = [line for line in session.chat.select_related("author") if line.body or line.pk in files]
    for line in lines:
        if file := files.get(line.pk):
            yield EvidenceLine(
                line.sent_at, _who(session, line.author), f"Sent a file: {file.name} ({size_text(file.size)})"
            )
            continue
        words = " ".join(line.body.split())
        first = words if len(words) <= FIRST_WORDS else f"{words[:FIRST_WORDS]}…"
        yield EvidenceLine(line.sent_at, _who(session, line.author), f"Wrote: {first}")
    if lines:
        counts = Counter(_who(session, line.author) for line in lines)
        of_whom = ", ".join(f"{count} by {who}" for who, count in counts.items())
        yield EvidenceLine(lines[-1].sent_at, "Hopps", f"Lines of chat in all: {of_whom}.")


def _notes(session: HelpSession) -> Iterator[EvidenceLine]:
    edits = session.notes_edits.order_by().values_list("author").annotate(count=Count("pk"), last=Max("edited_at"))
    counts = {author: (count, last) for author, count, last in edits}
    if not counts:
        return
    for person in User.objects.filter(pk__in=counts):
        count, last = counts[person.pk]
        yield EvidenceLine(
            last, _who(session, person), f"Wrote in the shared notes, for the last time here; changes in all: {count}."
        )
    words = " ".join(notes.body_of(session).split())
    first = words if len(words) <= FIRST_WORDS else f"{words[:FIRST_WORDS]}…"
    yield EvidenceLine(max(last for _, last in counts.values()), "Hopps", f"The shared notes as they were left: {first}")


def _video(session: HelpSession) -> Iterator[EvidenceLine]:
    """What the video service told, by its own clock. It is no part of the bill (decision 0011)."""
    for event in session.video_events.select_related("person"):
        who = _who(session, event.person) if event.person is not None else "Twilio"
        yield EvidenceLine(event.at, who, _told(event))


def _told(event: VideoEvent) -> str:
    match event.kind:
        case told.ROOM_OPENED:
            return f"Made room {event.room_sid} for the call."
        case told.ROOM_ENDED:
            return f"Room {event.room_sid} is over."
        case told.CONNECTED:
            return "Was connected to the room, by Twilio's clock."
        case _:
            return "Was no longer connected to the room, by Twilio's clock."


def _bill(session: HelpSession) -> Iterator[EvidenceLine]:
    if session.settled_at is None:
        return
    free = f", of which the first {session.free_seconds} are free" if session.free_seconds else ""
    amount = format_money(session.amount_minor, session.currency)
    yield EvidenceLine(
        session.settled_at, "Hopps", f"Counted {session.billable_seconds} s in which both were there{free}: {amount}."
    )


def _rating(session: HelpSession) -> Iterator[EvidenceLine]:
    rating = getattr(session, "rating", None)
    if rating is not None:
        solved = rating.get_solved_display().lower()
        comment = f" {rating.comment}" if rating.comment else ""
        yield EvidenceLine(
            rating.rated_at,
            _who(session, session.customer),
            f"Rated the session {rating.stars} of 5, solved: {solved}.{comment}",
        )


def _cases(session: HelpSession) -> Iterator[EvidenceLine]:
    for case in session.cases.select_related("by", "answered_by"):
        yield EvidenceLine(case.opened_at, _who(session, case.by), f"Reported a problem: {case.problem}")
        if case.answered_at is not None:
            what = f"Answered the report ({case.get_state_display().lower()}): {case.answer}"
            yield EvidenceLine(case.answered_at, _who(session, case.answered_by), what)
