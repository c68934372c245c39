"""The shared notes: one text both write in at the same time, kept with the session.

The log of edits is the truth, and a unique number in it decides who came first (decision 0016). `SharedNotes` is the text
as it stands, so that nobody has to go through the log; where a process died between the two, the next one catches up.
"""

from collections.abc import Iterable
from uuid import UUID

from django.db import IntegrityError, transaction

from accounts.models import User
from hopps.errors import Refused
from hopps.realtime.hub import hub
from sessions_app import notes_change
from sessions_app.events import NotesEdited, NotesText
from sessions_app.models import HelpSession, NotesEdit, SharedNotes
from sessions_app.notes_change import NotAChange

# In characters; about 30 pages.
LONGEST = 100_000
# How often somebody else may have been first. With two people writing, and one edit of each on its way, twice is much.
TRIES = 20
# An edit is fitted to no more than so many that came before it, and a page is told no more at once: all of a long log
# would keep the process from its other sessions. Nobody who writes is as far behind; two minutes' absence ends the session.
WAY_BACK = 2_000


def edit(*, session: HelpSession, author: User, edit_id: UUID, base: int, steps: Iterable[int | str]) -> None:
    """Keep an edit and show it on both sides; the same edit again is told again, and kept once.

    Args:
        session: the session the notes belong to.
        author: one of its participants.
        edit_id: chosen by the page.
        base: the revision of the text the page made the edit of; it is fitted to what came since.
        steps: the change (`notes_change`).

    Raises:
        Refused: the session is over, the notes are full, the edit fits no text, or its id is somebody else's.
    """
    if not session.is_live:
        raise Refused("This session is over; its notes can be read and no longer written to.")
    try:
        change = notes_change.read(steps)
        for _ in range(TRIES):
            kept = NotesEdit.objects.filter(pk=edit_id).select_related("author").first() or _keep(
                session, author, edit_id, base, change
            )
            if kept is not None:
                break
        else:
            raise Refused("What you wrote last was not kept: too much is written here just now.")
    except NotAChange:
        raise Refused("What you wrote last does not fit the notes as they are, and was not kept.") from None
    if kept.session_id != session.pk or kept.author_id != author.pk:
        raise Refused("What you wrote last could not be kept.")
    hub.publish(session.audience, as_event(kept))


def _keep(session: HelpSession, author: User, edit_id: UUID, base: int, change: notes_change.Change) -> NotesEdit | None:
    """Write the edit down as the next one; None where another was first, or this one is written already."""
    SharedNotes.objects.get_or_create(session=session)
    notes = _latest(session)
    if base > notes.revision:
        raise NotAChange("it is of a text that is not there yet")
    if base < notes.revision - WAY_BACK:
        raise NotAChange("it is of a text of long ago")
    missed = NotesEdit.objects.filter(session=session, revision__gt=base, revision__lte=notes.revision)
    for by, earlier in missed.values_list("author_id", "change"):
        # Where both write at one place the customer's words stand first, whoever was quicker: so each one's stay together.
        # Else it is as they came. The page does the same (static/js/room/shared_notes/copy.js).
        customer_stands_first = author.pk == session.customer_id != by
        change = notes_change.rebase(change, earlier, done_stands_first=not customer_stands_first)
    body = notes_change.apply(notes.body, change)
    if len(body) > max(LONGEST, len(notes.body)):
        raise Refused(f"What you wrote last did not fit and was not kept: notes hold {LONGEST:,} characters.")
    try:
        with transaction.atomic():
            kept = NotesEdit.objects.create(
                id=edit_id, session=session, author=author, revision=notes.revision + 1, change=change
            )
    except IntegrityError:
        return None
    _move_on(notes, kept.revision, body)
    return kept


def _latest(session: HelpSession) -> SharedNotes:
    """Return the notes after every edit in the log."""
    notes = SharedNotes.objects.filter(session=session).first() or SharedNotes(session=session)
    # Written down, and then the process died, or is just about to do the same.
    missing = NotesEdit.objects.filter(session=session, revision__gt=notes.revision)
    for revision, change in missing.values_list("revision", "change"):
        _move_on(notes, revision, notes_change.apply(notes.body, change))
    return notes


def _move_on(notes: SharedNotes, revision: int, body: str) -> None:
    """Write the text after edit number `revision`, unless somebody did."""
    SharedNotes.objects.filter(pk=notes.pk, revision=revision - 1).update(revision=revision, body=body)
    notes.revision, notes.body = revision, body


def state_of(session: HelpSession, *, since: int | None, text: bool) -> NotesText:
    """Return the notes as a page is told that has the edits up to revision `since`; with the text if it wants it.

    Where it missed too many it gets the text in their place.
    """
    notes = _latest(session)
    if since is not None and since < notes.revision - WAY_BACK:
        since, text = None, True
    edits = NotesEdit.objects.filter(session=session, revision__lte=notes.revision).select_related("author")
    missed = [as_event(edit) for edit in edits.filter(revision__gt=since)] if since is not None else []
    last = edits.filter(revision=notes.revision).first()
    return NotesText(
        revision=notes.revision,
        body=notes.body if text else None,
        missed=missed,
        last=as_event(last) if last else None,
    )


def body_of(session: HelpSession) -> str:
    """Return the text of the notes; empty where nobody wrote any."""
    return _latest(session).body


def as_event(edit: NotesEdit) -> NotesEdited:
    """Return a kept edit as the pages are told."""
    return NotesEdited(
        id=edit.pk,
        revision=edit.revision,
        change=edit.change,
        author=edit.author_id,
        name=str(edit.author),
        edited_at=edit.edited_at,
    )
