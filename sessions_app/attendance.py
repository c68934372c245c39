"""Who is in the room, from when to when, and what the clock therefore says."""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db.models import F, Q
from django.utils import timezone

from accounts.models import ExpertProfile, User
from sessions_app import clock as rules
from sessions_app.clock import Interval, Stay, billable_intervals, total_seconds
from sessions_app.events import Clock, Presence
from sessions_app.models import Attendance, HelpSession, Pause, State, TimelineEntry
from sessions_app.timeline import record


def join(*, session: HelpSession, person: User, page: UUID, now: datetime) -> Attendance:
    """Write that `person` came in with `page` at `now` (UTC), and return the new stretch of presence.

    Stretches may overlap (a second tab): time counts once per person. What a lost socket or a killed server left open of
    this person is closed at its last sign of life, so that the gap until now is not counted. What began after `now` is not
    left behind: the page has a newer line, and this is the word of an older one that was late.
    """
    earlier = Attendance.objects.filter(session=session, person=person)
    returning = earlier.exists()
    stretch = Attendance.objects.create(session=session, person=person, page=page, joined_at=now, last_seen_at=now)
    # After that: there is no moment at which the person seems to be away, and an older line finds why it was closed.
    silent_since = now - timedelta(seconds=2 * settings.PRESENCE_BEAT_SECONDS)
    left_behind = earlier.filter(left_at=None, joined_at__lte=now).exclude(pk=stretch.pk)
    left_behind.filter(Q(page=page) | Q(last_seen_at__lt=silent_since)).update(left_at=F("last_seen_at"))
    record(session, TimelineEntry.Kind.JOINED, by=person, note="again" if returning else "", at=now)
    return stretch


def was_admitted(*, session_id: UUID, person: User, page: UUID) -> bool:
    """Return whether `page` entered this room with a valid grant before."""
    return Attendance.objects.filter(session_id=session_id, person=person, page=page).exists()


def came_in_since(attendance_id: UUID) -> UUID | None:
    """Return the page with which the person of this stretch came in last, if that was later; None: this was the last."""
    mine = Attendance.objects.get(pk=attendance_id)
    others = Attendance.objects.filter(session=mine.session_id, person=mine.person_id, joined_at__gte=mine.joined_at)
    last = max(others, key=lambda stretch: (stretch.joined_at, stretch.pk))
    return last.page if last.pk != mine.pk else None


def is_there_with_another(*, session_id: UUID, person: User, page: UUID, now: datetime) -> bool:
    """Return whether `person` came in with another page after `page` did, and is there with it at `now` (UTC)."""
    stretches = list(Attendance.objects.filter(session_id=session_id, person=person))
    mine = max((stretch.joined_at for stretch in stretches if stretch.page == page), default=None)
    others = [stretch for stretch in stretches if stretch.page != page and is_fresh(stretch, now)]
    return mine is not None and any(stretch.joined_at > mine for stretch in others)


def leave(*, attendance_id: UUID, at: datetime) -> None:
    """Close one stretch of presence at `at` (UTC), the last sign of life.

    One that is closed already (the page came back by another server process, which knew of the last *written* sign of life
    only) ends later where there was a later one, and never earlier.
    """
    stretch = Attendance.objects.select_related("session", "person").get(pk=attendance_id)
    # Never before it began: the clock of the last sign of life and that of joining are the same, but be sure.
    at = max(at, stretch.joined_at)
    if not Attendance.objects.filter(pk=attendance_id, left_at=None).update(left_at=at, last_seen_at=at):
        Attendance.objects.filter(pk=attendance_id, left_at__lt=at).update(left_at=at, last_seen_at=at)
        return
    if not Attendance.objects.filter(session=stretch.session, person=stretch.person, left_at=None).exists():
        record(stretch.session, TimelineEntry.Kind.LEFT, by=stretch.person, at=at)


def seen(attendance_ids: Collection[UUID], *, at: datetime) -> list[UUID]:
    """Write that all of these were in their rooms at `at` (UTC), in one UPDATE for the whole process.

    Returns those among them that are closed: by the sweep, while they were silent, or by mistake. Somebody is there.
    """
    Attendance.objects.filter(pk__in=attendance_ids, left_at=None).update(last_seen_at=at)
    closed = Attendance.objects.filter(pk__in=attendance_ids, left_at__isnull=False)
    return list(closed.values_list("pk", flat=True))


def media_flows(*, attendance_id: UUID, at: datetime) -> None:
    """Write that the page of this stretch has the other's sound or picture since `at` (UTC). The first word stands."""
    Attendance.objects.filter(pk=attendance_id, media_at=None).update(media_at=at)


def close_stale(now: datetime) -> list[UUID]:
    """Close, at their last sign of life, the attendances nobody has heard of; return their sessions' ids.

    They are what a killed server or a vanished laptop leaves behind.
    """
    limit = now - timedelta(seconds=settings.PRESENCE_SILENCE_SECONDS)
    stale = list(Attendance.objects.filter(left_at=None, last_seen_at__lt=limit))
    for stretch in stale:
        leave(attendance_id=stretch.pk, at=stretch.last_seen_at)
    return [stretch.session_id for stretch in stale]


def is_fresh(stretch: Attendance, now: datetime) -> bool:
    """Return whether somebody is behind an open attendance at `now`."""
    return stretch.left_at is None and now - stretch.last_seen_at <= timedelta(seconds=settings.PRESENCE_SILENCE_SECONDS)


def people_present(session: HelpSession, now: datetime) -> set[UUID]:
    """Return the ids of the participants in the room at `now`."""
    stretches = Attendance.objects.filter(session=session, left_at=None)
    return {stretch.person_id for stretch in stretches if is_fresh(stretch, now)}


def pages_of_other(session: HelpSession, person: User, now: datetime) -> list[UUID]:
    """Return the page the other participant is in the room with, as a list of one; empty where they are not there."""
    stretches = Attendance.objects.filter(session=session, left_at=None).exclude(person=person).order_by("-joined_at")
    return [stretch.page for stretch in stretches if is_fresh(stretch, now)][:1]


def presence(session: HelpSession, now: datetime) -> Presence:
    """Return who is in the room, as the pages are told."""
    present = people_present(session, now)
    return Presence(customer=session.customer_id in present, expert=session.expert_id in present)


def first_joined(session: HelpSession, person_id: UUID | None, *, since: datetime) -> datetime | None:
    """Return when `person_id` first came in at or after `since` (UTC), or None for never."""
    stretches = Attendance.objects.filter(session=session, person_id=person_id, joined_at__gte=since)
    return min((stretch.joined_at for stretch in stretches), default=None)


def last_present(session: HelpSession, person_id: UUID | None) -> datetime | None:
    """Return when `person_id` was last in the room, or None for never."""
    stretches = Attendance.objects.filter(session=session, person_id=person_id)
    return max((stretch.left_at or stretch.last_seen_at for stretch in stretches), default=None)


# --- the clock ---


def billable(session: HelpSession, now: datetime, *, proven_only: bool = False) -> list[Interval]:
    """Return the billable intervals of `session` as known at `now` (UTC).

    Args:
        session: its customer and its present expert count; an expert who gave it back does not.
        now: open stretches with a fresh sign of life count until here. Nothing counts after the session's end.
        proven_only: count open stretches to their last sign of life only, as the bill does.
    """
    stretches = list(Attendance.objects.filter(session=session))
    pauses = list(Pause.objects.filter(session=session))
    return _billable(session, stretches, pauses, now, proven_only)


def _billable(
    session: HelpSession, stretches: Iterable[Attendance], pauses: Iterable[Pause], now: datetime, proven_only: bool
) -> list[Interval]:
    return billable_intervals(*_facts(session, stretches, pauses, now, proven_only))


def _facts(
    session: HelpSession, stretches: Iterable[Attendance], pauses: Iterable[Pause], now: datetime, proven_only: bool
) -> tuple[list[Stay], list[Interval]]:
    """Return the stays of the two and the pauses, each with a definite end."""
    until = min(session.ended_at or now, now)
    ours = [stretch for stretch in stretches if stretch.person_id in (session.customer_id, session.expert_id)]
    # A page that was taken for gone and heard again has a new stretch, and the same line to the other as before.
    media: dict[UUID, datetime] = {}
    for stretch in ours:
        if stretch.media_at is not None:
            media[stretch.page] = min(stretch.media_at, media.get(stretch.page, stretch.media_at))
    stays = []
    for stretch in ours:
        open_end = stretch.last_seen_at if proven_only or not is_fresh(stretch, now) else now
        end = min(stretch.left_at or open_end, until)
        stays.append(Stay(stretch.person_id, stretch.joined_at, end, media.get(stretch.page)))
    return stays, [(pause.started_at, min(pause.ended_at or until, until)) for pause in pauses]


def call_worked(session: HelpSession, now: datetime) -> bool:
    """Return whether customer and expert were ever connected in time that is billed, as proven at `now` (UTC)."""
    stretches = list(Attendance.objects.filter(session=session))
    pauses = list(Pause.objects.filter(session=session))
    return rules.call_worked(*_facts(session, stretches, pauses, now, proven_only=True))


def clock(session: HelpSession, now: datetime) -> Clock:
    """Return what the clock says at `now`: the same for both sides."""
    stretches = list(Attendance.objects.filter(session=session))
    pauses = list(Pause.objects.filter(session=session).select_related("by"))
    open_pause = next((pause for pause in pauses if pause.ended_at is None), None)
    present = {stretch.person_id for stretch in stretches if is_fresh(stretch, now)}
    price = session.price
    if session.settled_at is not None:
        seconds = float(session.billable_seconds)
    else:
        seconds = total_seconds(_billable(session, stretches, pauses, now, proven_only=False))
    return Clock(
        running=(
            session.state == State.ACTIVE and open_pause is None and {session.customer_id, session.expert_id} <= present
        ),
        billable_seconds=seconds,
        as_of=now,
        paused_by=str(open_pause.by) if open_pause is not None else None,
        free_seconds=price.free_seconds,
        price_per_minute=price.per_minute,
        cap_minutes=price.cap_minutes,
        cap_seconds=price.cap_seconds,
        warn_seconds=price.warn_seconds,
        cap_minor=price.cap_minor,
        currency=price.currency,
        connected=any(stretch.media_at is not None for stretch in stretches),
    )


def boards_seen(people: Collection[str]) -> None:
    """Write that these experts, by id, have a board open now."""
    ExpertProfile.objects.filter(user_id__in=people).update(board_seen_at=timezone.now())


def leave_board(*, person: str, now: datetime) -> None:
    """Let the last open board of `person`, closed at `now` (UTC), count for a moment more: it may be a reload.

    A board that is open in another tab, on another server, says so with its next beat.
    """
    soon_stale = now - timedelta(seconds=settings.PRESENCE_STALE_SECONDS - settings.BOARD_BEAT_SECONDS)
    ExpertProfile.objects.filter(user_id=person, board_seen_at__gt=soon_stale).update(board_seen_at=soon_stale)
