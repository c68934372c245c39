"""How an expert is reached: the ways they chose, which of them work, a test of each, and quiet for a while."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.urls import reverse
from django.utils import timezone

from accounts import outbox
from accounts.consent import number_for_texts
from accounts.experts import refresh_boards, week_of
from accounts.hours import Stretch
from accounts.models import ExpertProfile, Message, Phone, PushSubscription, User
from hopps.errors import Refused
from hopps.http import public_url
from hopps.sending import NotTaken

Way = Message.Way
WAYS = (Way.PUSH, Way.TEXT, Way.MAIL)

# Texts cost money: so many tests go out to one expert in a day.
TEST_TEXTS_A_DAY = 10
LONGEST_QUIET = timedelta(days=60)
# Whoever is up before this has not slept yet: their morning is still to come, and no hours begin one.
NIGHT_ENDS = time(5)
MORNING = time(8)


@dataclass(frozen=True)
class WayNow:
    """One way of reaching an expert."""

    way: Message.Way
    wanted: bool
    problem: str
    """Why it cannot work now, as a sentence; empty where it can."""
    last_test: Message | None

    @property
    def in_use(self) -> bool:
        """Whether requests are told this way."""
        return self.wanted and not self.problem


def ways_now(expert: ExpertProfile) -> dict[Message.Way, WayNow]:
    """Return how each way of reaching `expert` stands."""
    wanted = {Way.PUSH: expert.by_push, Way.TEXT: expert.by_text, Way.MAIL: expert.by_mail}
    tests: dict[str, Message] = {}
    for message in Message.objects.filter(to=expert.user, purpose=Message.Purpose.TEST).order_by("-created_at")[:30]:
        tests.setdefault(message.way, message)
    return {way: WayNow(way, wanted[way], _problem(expert.user, way), tests.get(way)) for way in WAYS}


def _problem(user: User, way: Message.Way) -> str:
    """Return why `way` cannot reach `user`, or ""."""
    match way:
        case Way.PUSH if not PushSubscription.objects.filter(user=user).exists():
            return "No browser of yours takes notifications yet."
        case Way.TEXT if not Phone.objects.filter(user=user).exists():
            return "You have no verified phone number yet."
        case Way.TEXT if number_for_texts(user) is None:
            return "You have not agreed to texts at your number."
        case Way.MAIL if not user.email:
            return "You have no mail address here."
    return ""


def choose_ways(*, expert: ExpertProfile, by_push: bool, by_text: bool, by_mail: bool, all_at_once: bool) -> None:
    """Keep by which ways `expert` wants to be told of requests, and whether by all of them at once."""
    ExpertProfile.objects.filter(pk=expert.pk).update(
        by_push=by_push, by_text=by_text, by_mail=by_mail, all_at_once=all_at_once
    )


def send_test(*, user: User, way: Message.Way) -> Message:
    """Send `user` a test by `way`, now; one a minute.

    Returns:
        The message with its outcome: SENT, REFUSED, FAILED (not now, try again) or IN_DOUBT.

    Raises:
        Refused: the way cannot work yet, or there was a test a moment ago.
    """
    problem = _problem(user, way)
    if problem:
        raise Refused(f"We cannot send a test: {problem[0].lower()}{problem[1:]}")
    now = timezone.now()
    if way == Way.TEXT:
        today = Message.objects.filter(
            to=user, way=way, purpose=Message.Purpose.TEST, created_at__gt=now - timedelta(days=1)
        )
        if today.count() >= TEST_TEXTS_A_DAY:
            raise Refused("You sent yourself many texts today. Try again tomorrow.")
    message = outbox.write(
        key=f"test:{user.pk}:{way}:{int(now.timestamp()) // 60}",
        to=user,
        way=way,
        purpose=Message.Purpose.TEST,
        address=_address(user, way),
    )
    if message is None:
        raise Refused("You had a test a moment ago. Wait a minute, then try again.")
    url = public_url(reverse("expert_reach"))
    words = outbox.Words(title="A test from Hopps", text=_test_text(way, url), url=url, tag="test")
    try:
        return outbox.send(message, words)
    except NotTaken:
        outbox.give_up(message)
        message.refresh_from_db()
        return message


def _address(user: User, way: Message.Way) -> str:
    match way:
        case Way.TEXT:
            return number_for_texts(user) or ""
        case Way.MAIL:
            return user.email
    return ""


def _test_text(way: Message.Way, url: str) -> str:
    match way:
        case Way.TEXT:
            return f"Hopps: this is your test. Requests for help come like this. {url} Reply STOP for no more texts."
        case Way.MAIL:
            return f"This is the test you asked for. Requests for help come like this.\n\nChange how you are told: {url}\n"
    return "Requests for help come like this."


# --- Do not disturb ---------------------------------------------------------------------------------------------------


def be_quiet(*, user: User, until: datetime) -> None:
    """Have nothing chime for the expert `user`, and no message sent, until then.

    Raises:
        Refused: that moment is past, or further away than LONGEST_QUIET.
    """
    now = timezone.now()
    if until <= now:
        raise Refused("Choose a time that is still to come.")
    if until > now + LONGEST_QUIET:
        raise Refused(f"Choose a time within {LONGEST_QUIET.days} days. For longer, switch yourself to not available.")
    ExpertProfile.objects.filter(user=user).update(quiet_until=until)
    refresh_boards(user.pk)


def end_quiet(*, user: User) -> None:
    """End the quiet of the expert `user` now."""
    ExpertProfile.objects.filter(user=user).update(quiet_until=None)
    refresh_boards(user.pk)


def next_morning(hours: Iterable[Stretch], time_zone: str, now: datetime) -> datetime:
    """Return when "tomorrow morning" is: the start of that day's hours, or 8:00, on the wall clock of `time_zone`.

    Args:
        hours: the expert's week.
        time_zone: an IANA name.
        now: aware, in any zone.
    """
    zone = ZoneInfo(time_zone)
    local = now.astimezone(zone)
    day = local.date() if local.time() < NIGHT_ENDS else local.date() + timedelta(days=1)
    starts = [time(*divmod(stretch.start_minute, 60)) for stretch in hours if stretch.weekday == day.weekday()]
    start = min((start for start in starts if start >= NIGHT_ENDS), default=MORNING)
    return datetime.combine(day, start, tzinfo=zone)


def morning_of(expert: ExpertProfile) -> datetime:
    """Return when the next morning of `expert` begins."""
    return next_morning(week_of(expert), expert.user.time_zone, timezone.now())
