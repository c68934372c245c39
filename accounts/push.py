"""Notifications to a person's browsers, open or closed."""

import logging

from accounts.models import PushSubscription, User
from hopps.push import Notification, push
from hopps.sending import InDoubt, NotTaken, Taken, TurnedDown

logger = logging.getLogger(__name__)


def push_to(user: User, notification: Notification) -> Taken | TurnedDown:
    """Send a notification to every browser of `user` that takes them; those that are gone are forgotten.

    Returns:
        Taken where at least one browser's push service has it.

    Raises:
        NotTaken: none has it now, and it may be tried again.
    """
    taken: Taken | None = None
    problems: list[str] = []
    for subscription in PushSubscription.objects.filter(user=user):
        keys = {"p256dh": subscription.p256dh, "auth": subscription.auth}
        try:
            outcome = push(endpoint=subscription.endpoint, keys=keys, notification=notification)
        except (NotTaken, InDoubt) as problem:
            problems.append(str(problem))
            continue
        if isinstance(outcome, Taken):
            taken = outcome
        else:
            PushSubscription.objects.filter(pk=subscription.pk).delete()
    if taken:
        return taken
    if problems:
        raise NotTaken("; ".join(problems))
    return TurnedDown("webpush", "No browser of this person takes notifications any more.")
