"""Once a minute: waves whose jobs were lost, messages a killed process left behind."""

from datetime import datetime, timedelta

from accounts.models import Message
from hopps.each import look_after
from sessions_app.models import HelpSession, State
from sessions_app.reach import jobs
from sessions_app.reach.waves import run_wave

# A job that is alive has sent, or given up asking, by then; the senders wait for an answer for 10 seconds at most.
GRACE = timedelta(seconds=45)


def heal_reach(now: datetime) -> None:
    """Go on at `now` (UTC) where a lost job or a killed process left off. Nobody is told twice by it."""
    # Whoever was being told may have been: not again, but by another way.
    begun = Message.objects.filter(state=Message.State.SENDING, began_at__lt=now - GRACE)
    begun.update(state=Message.State.IN_DOUBT, problem="The process ended before the sender answered.")
    due = HelpSession.objects.filter(state=State.REQUESTED, next_wave_at__lte=now)
    look_after(due, lambda session: run_wave(session_id=session.pk, now=now), name="Wave")
    waiting = Message.objects.filter(
        state=Message.State.WAITING, purpose=Message.Purpose.REQUEST, created_at__lt=now - GRACE
    )
    for message_id in waiting.values_list("pk", flat=True):
        jobs.tell(str(message_id))
