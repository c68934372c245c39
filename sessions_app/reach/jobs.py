"""The jobs behind the waves. Each is a hint: what is due is read from the database when it runs."""

import logging
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from huey.api import Task
from huey.contrib.djhuey import db_task

from accounts import outbox
from accounts.models import Message, User
from hopps.sending import NotTaken

logger = logging.getLogger(__name__)

# Seconds after a message was not taken, doubling: 2, 4, 8, 16. A request is worth telling for minutes only.
FIRST_RETRY, TRIES = 2, 4


@db_task(retries=3, retry_delay=2)  # type: ignore[untyped-decorator]  # huey carries no types
def wave(session_id: str) -> None:
    """Tell the next experts."""
    from sessions_app.reach.waves import run_wave  # late: it sets this very job again

    run_wave(session_id=UUID(session_id), now=timezone.now())


@db_task(retries=TRIES, retry_delay=FIRST_RETRY, retry_backoff=2, context=True)  # type: ignore[untyped-decorator]
def tell(message_id: str, task: Task) -> None:
    """Tell one expert; tried again while the sender takes nothing."""
    from sessions_app.reach.tell import tell as tell_now

    message = Message.objects.select_related("to").filter(pk=UUID(message_id)).first()
    if message is None:
        return
    try:
        tell_now(message=message, now=timezone.now())
    except NotTaken as problem:
        if task.retries:
            logger.warning("Message %s is tried again: %s", message.pk, problem)
            raise
        logger.error("Message %s is given up: %s", message.pk, problem)
        outbox.give_up(message)


@db_task(retries=3, retry_delay=2)  # type: ignore[untyped-decorator]
def take_back(session_id: str) -> None:
    """Have a request's notifications taken back."""
    from sessions_app.reach.take_back import take_back as take_back_now  # late: it sets the next job

    take_back_now(UUID(session_id))


@db_task(retries=TRIES, retry_delay=FIRST_RETRY, retry_backoff=2)  # type: ignore[untyped-decorator]
def take_back_from(session_id: str, person_id: str) -> None:
    """Take a request's notification back from one expert."""
    from sessions_app.reach.take_back import take_back_from as take_back_now

    take_back_now(UUID(session_id), User.objects.get(pk=UUID(person_id)))


def set_wave(session_id: UUID, at: datetime) -> None:
    """Set the job of a wave for the moment `at` (UTC)."""
    transaction.on_commit(lambda: wave.schedule(args=(str(session_id),), eta=at), robust=True)
