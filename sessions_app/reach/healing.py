"""Once a minute: waves whose jobs were lost, messages a killed process left behind."""

from datetime import datetime, timedelta

from huey.contrib.djhuey import HUEY

from accounts.models import Message
from hopps.each import look_after
from sessions_app.models import HelpSession, State
from sessions_app.reach import jobs
from sessions_app.reach.waves import run_wave

# A job that is alive has its sender's answer by then: a text waits 9 s for it, notifications half a minute. A mail server
# that is slow at each of its steps settles the doubt when it answers.
GRACE = timedelta(seconds=45)
# With so many jobs in the queue, a message's own is more likely late than lost.
BACKLOG = 100


def heal_reach(now: datetime) -> None:
    """Go on at `now` (UTC) where a lost job or a killed process left off. Nobody is told twice by it."""
    _doubt(now)
    due = HelpSession.objects.filter(state=State.REQUESTED, next_wave_at__lte=now)
    look_after(due, lambda session: run_wave(session_id=session.pk, now=now), name="Wave")
    if HUEY.pending_count() < BACKLOG:
        requests = Message.objects.filter(purpose=Message.Purpose.REQUEST)
        waiting = requests.filter(state=Message.State.WAITING, created_at__lt=now - GRACE)
        for message_id in waiting.values_list("pk", flat=True):
            jobs.tell(str(message_id))


def _doubt(now: datetime) -> None:
    """Call in doubt what was being sent when a process died: it is not sent again, but another way is tried."""
    begun = Message.objects.filter(state=Message.State.SENDING, began_at__lt=now - GRACE)
    pushed = set(begun.filter(way=Message.Way.PUSH, reference__isnull=False).values_list("reference", flat=True))
    begun.update(state=Message.State.IN_DOUBT, problem="The process ended before the sender answered.")
    for session_id in pushed:
        # Taken meanwhile, the notification may be showing all the same.
        jobs.take_back(str(session_id))
