"""A made-up week: 200 experts with their own hours, zones and habits, 2 000 requests, on a clock that jumps.

The people live in this file, beside the database: what may be sent to them is worked out here by plain walks over lists, to
compare with what was sent.
"""

import gc
import heapq
import logging
import random
import zoneinfo
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from uuid import UUID

import time_machine
from django.conf import settings
from django.core import mail
from django.db import connection
from django.test import override_settings
from django.utils import timezone

from accounts.models import ExpertHours, ExpertProfile, ExpertTopic, Phone, TextConsent, Topic, User
from hopps.errors import Refused
from sessions_app import accept, cancel, release
from sessions_app.ask import go_live
from sessions_app.models import Exclusion, HelpSession, State
from tests.jobs import JobsInMemory, jobs_in_memory
from tests.people import be_present

ZONES = ("Europe/Vienna", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "America/Los_Angeles", "UTC")
# The clocks of Europe go back on the 25th, at 01:00 UTC.
BEGIN = datetime(2026, 10, 22, tzinfo=UTC)
DAYS = 7
TOPICS = 20
CUSTOMERS = 600


def minutes_of(weekday: int, start: int, end: int) -> set[int]:
    """Return the minutes of the week, by the wall clock, of one stretch of hours."""
    length = end - start if end > start else end - start + 24 * 60
    return {(weekday * 24 * 60 + start + minute) % (7 * 24 * 60) for minute in range(length)}


@dataclass
class Expert:
    """One expert as the week knows them."""

    user: User
    topics: set[UUID]
    zone: zoneinfo.ZoneInfo
    hours: set[int]
    number: str
    texts: bool
    mails: bool
    answers: float
    """How likely this expert is to answer, when told."""
    available: bool = True
    quiet_until: datetime = BEGIN
    board_until: datetime = BEGIN
    busy: bool = False
    last_text: datetime | None = None

    def may_be_written_to(self, now: datetime) -> bool:
        local = now.astimezone(self.zone)
        within = local.weekday() * 24 * 60 + local.hour * 60 + local.minute in self.hours
        return within and self.may_accept(now)

    def may_accept(self, now: datetime) -> bool:
        return self.available and not self.busy and self.quiet_until <= now

    def rested(self, now: datetime) -> bool:
        return self.last_text is None or (now - self.last_text).total_seconds() >= settings.TEXT_COOLDOWN_SECONDS


@dataclass
class Request:
    """One request as the week knows it."""

    session_id: UUID
    topic: UUID
    left_out: set[UUID] = field(default_factory=set)
    told: Counter[UUID] = field(default_factory=Counter)
    """How often each expert was written to about it, by text."""
    reached: set[UUID] = field(default_factory=set)
    """Who has heard of it at all."""
    anybody: bool = False
    """Whether there was ever somebody to be told."""


class Week:
    """Everything that happens, in order."""

    def __init__(self, jobs: JobsInMemory, *, experts: int, requests: int, seed: int) -> None:
        self.jobs = jobs
        self.dice = random.Random(seed)
        self.number = count()
        self.to_come: list[tuple[datetime, int, Callable[[], None]]] = []
        self.wrong: list[str] = []
        self.texts = 0
        self.answered = 0
        self.requests: dict[UUID, Request] = {}
        self.people_of_wave: defaultdict[tuple[UUID, datetime], set[UUID]] = defaultdict(set)
        self.mails_read = 0
        self.busy: set[UUID] = set()
        self._make_people(experts)
        for _ in range(requests):
            # More by day than by night, as Europe sees it.
            hour = self.dice.choices(range(24), weights=[1] * 7 + [5] * 14 + [2] * 3)[0]
            at = BEGIN + timedelta(days=self.dice.randrange(DAYS), hours=hour, seconds=self.dice.uniform(0, 3600))
            self.later(at, self.ask)

    # --- the people ---

    def _make_people(self, experts: int) -> None:
        topics = [
            Topic.objects.create(area="engineering", name=f"T{n}", slug=f"t{n}", price_per_minute=100) for n in range(TOPICS)
        ]
        self.topics = [topic.pk for topic in topics]
        self.customers = User.objects.bulk_create(
            User(email=f"customer{n}@example.org", display_name=f"Customer {n}") for n in range(CUSTOMERS)
        )
        self.experts: dict[UUID, Expert] = {}
        self.by_number: dict[str, Expert] = {}
        self.by_mail: dict[str, Expert] = {}
        for n in range(experts):
            expert = self._make_expert(n)
            self.experts[expert.user.pk] = self.by_number[expert.number] = self.by_mail[expert.user.email] = expert
            self._plan_habits(expert)

    def _make_expert(self, n: int) -> Expert:
        dice = self.dice
        zone = dice.choice(ZONES)
        user = User.objects.create(email=f"expert{n}@example.org", display_name=f"Expert {n}", time_zone=zone)
        texts, mails = dice.random() < 0.9, dice.random() < 0.3
        profile = ExpertProfile.objects.create(
            user=user, headline="h", state="approved", available=True, by_text=texts, by_mail=mails
        )
        topics = set(dice.sample(self.topics, dice.randint(1, 3)))
        ExpertTopic.objects.bulk_create(ExpertTopic(expert=profile, topic_id=pk, state="approved") for pk in topics)
        hours: set[int] = set()
        kind = dice.random()
        for weekday in range(7):
            if kind < 0.05 or (kind < 0.6 and weekday >= 5):
                continue
            start, end = dice.choice([(540, 1080), (480, 720), (1320, 120), (0, 0), (1080, 1380)])
            if not hours & minutes_of(weekday, start, end):
                ExpertHours.objects.create(expert=profile, weekday=weekday, start_minute=start, end_minute=end)
                hours |= minutes_of(weekday, start, end)
        number = f"+43660{n:07d}"
        if dice.random() < 0.95:
            Phone.objects.create(user=user, number=number)
        else:
            texts = False
        if dice.random() < 0.95:
            TextConsent.objects.create(user=user, number=number, wording="Yes")
        else:
            texts = False
        return Expert(
            user=user,
            topics=topics,
            zone=zoneinfo.ZoneInfo(zone),
            hours=hours,
            number=number,
            texts=texts,
            # Whoever wants to be told and has set up nothing is mailed.
            mails=mails or not texts,
            answers=dice.choice([0, 0.3, 0.6, 0.9]),
        )

    def _plan_habits(self, expert: Expert) -> None:
        """An expert opens and closes boards, switches off and on, and wants quiet, a few times in the week."""
        for _ in range(6):
            self.later(self.some_time(), lambda: self.open_board(expert))
        for _ in range(3):
            off = self.some_time()
            self.later(off, lambda: self.switch(expert, available=False))
            self.later(off + timedelta(hours=self.dice.uniform(1, 12)), lambda: self.switch(expert, available=True))
        self.later(self.some_time(), lambda: self.want_quiet(expert))

    def some_time(self) -> datetime:
        return BEGIN + timedelta(seconds=self.dice.uniform(0, DAYS * 24 * 3600))

    # --- what they do ---

    def open_board(self, expert: Expert) -> None:
        expert.board_until = timezone.now() + timedelta(minutes=self.dice.uniform(5, 120))
        # Seen until then: nobody writes down every few seconds that the board is still open.
        ExpertProfile.objects.filter(user=expert.user).update(board_seen_at=expert.board_until)

    def switch(self, expert: Expert, *, available: bool) -> None:
        expert.available = available
        ExpertProfile.objects.filter(user=expert.user).update(available=available)

    def want_quiet(self, expert: Expert) -> None:
        expert.quiet_until = timezone.now() + timedelta(hours=self.dice.uniform(1, 20))
        ExpertProfile.objects.filter(user=expert.user).update(quiet_until=expert.quiet_until)

    def ask(self) -> None:
        customer = self.dice.choice(self.customers)
        if HelpSession.objects.open().filter(customer=customer).exists():
            self.later(timezone.now() + timedelta(minutes=1), self.ask)
            return
        topic = self.dice.choice(self.topics)
        session = HelpSession.objects.create(
            customer=customer, topic_id=topic, title="Stuck", currency="USD", price_per_minute=100, cap_minutes=30
        )
        self.requests[session.pk] = Request(session.pk, topic)
        go_live(session.pk)
        if self.dice.random() < 0.05:
            self.later(timezone.now() + timedelta(seconds=self.dice.uniform(5, 400)), lambda: self.call_off(session))

    def call_off(self, session: HelpSession) -> None:
        try:
            cancel.cancel(session_id=session.pk, customer=session.customer)
        except Refused:
            return
        self.set_free(session.pk)

    def hears(self, expert: Expert, request: Request) -> None:
        """Somebody was told, and may answer in a while."""
        if expert.user.pk not in request.reached and self.dice.random() < expert.answers:
            self.later(timezone.now() + timedelta(seconds=self.dice.uniform(3, 40)), lambda: self.answer(expert, request))
        request.reached.add(expert.user.pk)

    def answer(self, expert: Expert, request: Request) -> None:
        try:
            session = accept.accept(session_id=request.session_id, expert=expert.user)
        except (Refused, HelpSession.DoesNotExist):
            return
        self.answered += 1
        expert.busy = True
        self.busy.add(expert.user.pk)
        now, fate = timezone.now(), self.dice.random()
        if fate < 0.1:
            self.later(now + timedelta(seconds=20), lambda: self.give_back(expert, session))
        elif fate < 0.15:
            return  # never comes: the time-out gives it back
        else:
            until = now + timedelta(minutes=self.dice.uniform(3, 25))
            HelpSession.objects.filter(pk=session.pk).update(state=State.ACTIVE, active_at=now)
            for person in (session.customer, expert.user):
                be_present(session, person, now, seen=until)
            self.later(until, lambda: self.end(session))

    def give_back(self, expert: Expert, session: HelpSession) -> None:
        try:
            release.release(session_id=session.pk, expert=expert.user)
        except Refused:
            return
        self.requests[session.pk].left_out.add(expert.user.pk)
        expert.busy = False
        self.busy.discard(expert.user.pk)

    def end(self, session: HelpSession) -> None:
        now = timezone.now()
        HelpSession.objects.filter(pk=session.pk).update(
            state=State.ENDED, ended_at=now, settled_at=now, billable_seconds=60
        )
        self.set_free(session.pk)

    def set_free(self, session_id: UUID) -> None:
        expert_id = HelpSession.objects.values_list("expert_id", flat=True).get(pk=session_id)
        if expert_id is not None:
            self.experts[expert_id].busy = False
            self.busy.discard(expert_id)

    # --- what reaches them ---

    def text_arrives(self, number: str, text: str) -> None:
        """Look at a text the moment it is sent."""
        now, expert = timezone.now(), self.by_number[number]
        session = HelpSession.objects.only("state").get(pk=text.split("/sessions/")[1].split("/")[0])
        request = self.requests[session.pk]
        self.texts += 1
        request.told[expert.user.pk] += 1
        self.people_of_wave[session.pk, now].add(expert.user.pk)
        for wrong, what in (
            (session.state != State.REQUESTED, "after the request was taken"),
            (not expert.may_be_written_to(now), "outside their hours, or busy, or not wanting to be disturbed"),
            (not expert.rested(now), "within the cooldown"),
            (request.told[expert.user.pk] > 1, "twice for one request"),
            (not expert.texts, "without their consent"),
            (request.topic not in expert.topics, "for a topic that is not theirs"),
            (expert.user.pk in request.left_out, "for a request they gave back"),
        ):
            if wrong:
                self.wrong.append(f"{now}: {expert.user} texted {what}")
        expert.last_text = now
        self.hears(expert, request)

    def read_mails(self) -> None:
        for letter in mail.outbox[self.mails_read :]:
            expert = self.by_mail[letter.to[0]]
            request = self.requests[UUID(str(letter.body).split("/sessions/")[1].split("/")[0])]
            if not expert.may_be_written_to(timezone.now()):
                self.wrong.append(f"{timezone.now()}: {expert.user} mailed outside their hours")
            self.people_of_wave[request.session_id, timezone.now()].add(expert.user.pk)
            self.hears(expert, request)
        self.mails_read = len(mail.outbox)

    def boards_chime(self, request: Request) -> None:
        for expert in self.whom(request):
            if expert.board_until > timezone.now():
                self.hears(expert, request)

    def whom(self, request: Request) -> list[Expert]:
        """Return who may accept the request now."""
        return [
            expert
            for expert in self.experts.values()
            if request.topic in expert.topics
            and expert.user.pk not in request.left_out
            and expert.may_accept(timezone.now())
        ]

    def could_be_told(self, request: Request) -> set[UUID]:
        """Return whom a wave must tell now, if nobody was told before."""
        now = timezone.now()
        return {
            expert.user.pk
            for expert in self.whom(request)
            if expert.board_until > now
            or (expert.may_be_written_to(now) and ((expert.texts and expert.rested(now)) or expert.mails))
        }

    # --- how it goes on ---

    def later(self, at: datetime, what: Callable[[], None]) -> None:
        heapq.heappush(self.to_come, (at, next(self.number), what))

    def run(self, day: int) -> None:
        """Let a day go by, moment for moment."""
        end = BEGIN + timedelta(days=day + 1)
        begin = BEGIN + timedelta(days=day)
        # Each test begins with an empty mailbox.
        self.mails_read = len(mail.outbox)
        with _texts_arrive(self.text_arrives), _one_connection(), time_machine.travel(begin, tick=False) as clock:
            while (now := self.next_moment()) is not None and now < end:
                clock.move_to(now)
                while self.to_come and self.to_come[0][0] <= now:
                    heapq.heappop(self.to_come)[2]()
                if self.jobs.are_due(now):
                    self.do_jobs()

    def next_moment(self) -> datetime | None:
        own = self.to_come[0][0] if self.to_come else None
        return min((at for at in (own, self.jobs.next_at()) if at is not None), default=None)

    def do_jobs(self) -> None:
        now = timezone.now()
        waiting = HelpSession.objects.filter(state=State.REQUESTED, next_wave_at__lte=now)
        due = [self.requests[pk] for pk in waiting.values_list("pk", flat=True)]
        before = {request.session_id: self.could_be_told(request) for request in due if not request.reached}
        for request in due:
            self.boards_chime(request)
        self.jobs.do_what_is_due()
        self.read_mails()
        if self.busy:
            self._see_who_was_let_go()
        for request in due:
            # Whoever could be told before and after: what another request needed meanwhile is nobody's fault.
            there = before.get(request.session_id, set()) & self.could_be_told(request)
            request.anybody |= bool(there)
            if there and not request.reached:
                self.wrong.append(f"{now}: nobody was told, and {len(there)} could be")
            people = self.people_of_wave.pop((request.session_id, now), set())
            if len(people) > settings.WAVE_SIZE:
                self.wrong.append(f"{now}: {len(people)} people in one wave")

    def _see_who_was_let_go(self) -> None:
        """Whoever gave a request back, or never came, is free again and left out of it."""
        live = set(HelpSession.objects.live().values_list("expert_id", flat=True))
        let_go = [pk for pk in self.busy if pk not in live]
        for pk in let_go:
            self.experts[pk].busy = False
            self.busy.discard(pk)
        for left in Exclusion.objects.filter(expert__in=let_go):
            self.requests[left.session_id].left_out.add(left.expert_id)


class _Texts(logging.Handler):
    """Hands on what the console's sender of texts was given."""

    def __init__(self, arrive: Callable[[str, str], None]) -> None:
        super().__init__()
        self.arrive = arrive

    def emit(self, record: logging.LogRecord) -> None:
        number, text = record.args  # type: ignore[misc]
        self.arrive(str(number), str(text))


@contextmanager
def week(*, experts: int, requests: int, seed: int) -> Iterator[Week]:
    """Set up a week; it goes by when it is `run`, a day at a time."""
    rules = {"REQUEST_EXPIRES_SECONDS": 180, "WAVE_SIZE": 3}
    with jobs_in_memory() as jobs, override_settings(**rules):
        with time_machine.travel(BEGIN, tick=False):
            made = Week(jobs, experts=experts, requests=requests, seed=seed)
        yield made


@contextmanager
def _texts_arrive(arrive: Callable[[str, str], None]) -> Iterator[None]:
    """Hand on what the console's sender of texts is given, and keep it out of the log."""
    logger = logging.getLogger("hopps.sms")
    handler = _Texts(arrive)
    logger.addHandler(handler)
    logger.propagate = False
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.propagate = True


@contextmanager
def _one_connection() -> Iterator[None]:
    """Let a connection outlive a job: opening one for each of many thousands takes longer than the jobs."""
    connection.settings_dict["CONN_MAX_AGE"] = connection.close_at = None
    # What is there stays: the garbage collector need not look at it again and again.
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
        connection.settings_dict["CONN_MAX_AGE"] = 0
