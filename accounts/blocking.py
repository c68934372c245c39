"""Two people who do not meet again: one blocks the other, it holds both ways, and the other is not told.

Who blocks whom is all that is known here. What it means for requests is `sessions_app.keep_apart`'s to say.
"""

from collections.abc import Collection
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet

from accounts.models import Block, User
from accounts.signals import person_blocked, person_unblocked
from hopps.errors import Refused


def block(*, by: User, person: User, reference: UUID | None = None) -> Block:
    """Have `by` and `person` not meet from now on. Blocked before, it stays as it is; a call that runs goes on.

    Args:
        by: who does not want to.
        person: whom; is not told.
        reference: the help session it is done from.

    Raises:
        Refused: the two are the same person.
    """
    if by.pk == person.pk:
        raise Refused("You cannot block yourself.")
    try:
        with transaction.atomic():
            row = Block.objects.create(by=by, person=person, reference=reference)
    except IntegrityError:
        row = Block.objects.select_related("by", "person").get(by=by, person=person)
    # Told again where it was there before: whatever a crash kept from being done is done now.
    person_blocked.send_robust(sender=Block, block=row)
    return row


def unblock(*, by: User, person: User) -> bool:
    """Take back the block of `by` on `person`; return whether there was one. One the other way round stays."""
    deleted, _ = Block.objects.filter(by=by, person=person).delete()
    if deleted:
        person_unblocked.send_robust(sender=Block, by=by, person=person)
    return bool(deleted)


def has_blocked(*, by: User, person: User | None) -> bool:
    """Return whether `by` blocked `person`: the one direction a person may be shown."""
    return person is not None and Block.objects.filter(by=by, person=person).exists()


def blocks_of(user: User) -> QuerySet[Block]:
    """Return whom `user` blocked, the latest first."""
    return Block.objects.filter(by=user).select_related("person")


def are_apart(one: UUID, other: UUID) -> bool:
    """Return whether either of the two, by the person's id, blocked the other."""
    return Block.objects.filter(Q(by=one, person=other) | Q(by=other, person=one)).exists()


def apart_from(person: UUID) -> set[UUID]:
    """Return everybody `person` does not meet, whoever of the two wanted it."""
    return apart_from_each([person])[person]


def apart_from_each(people: Collection[UUID]) -> dict[UUID, set[UUID]]:
    """Return whom each of `people` does not meet, by the person's id; in one query."""
    found: dict[UUID, set[UUID]] = {person: set() for person in people}
    if not found:
        return found
    rows = Block.objects.filter(Q(by__in=list(found)) | Q(person__in=list(found))).order_by()
    for by, person in rows.values_list("by_id", "person_id"):
        for one, other in ((by, person), (person, by)):
            if one in found:
                found[one].add(other)
    return found
