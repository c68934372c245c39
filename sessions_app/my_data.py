"""What sessions_app has about a person: what they asked, said and wrote, and what was said to them in their sessions."""

from collections.abc import Iterator

from django.db.models import Q

from accounts.models import User
from accounts.my_data import Row, Table
from accounts.my_data_tables import AT_ONCE, values
from hopps.http import public_url
from sessions_app import notes
from sessions_app.cases import timeline_for
from sessions_app.history import role_in
from sessions_app.models import (
    Attendance,
    Case,
    ChatFile,
    ChatMessage,
    HelpSession,
    NotesEdit,
    PersonReport,
    Rating,
    SharedNotes,
    State,
    Watch,
)


def _theirs(user: User) -> Q:
    """Return the condition of rows that belong to a session of `user`."""
    return Q(session__customer=user) | Q(session__expert=user)


def _sessions(user: User) -> Iterator[Row]:
    for session in HelpSession.objects.of(user).with_people().iterator(chunk_size=AT_ONCE):
        role, other = role_in(session, user), session.other(user)
        if role == "customer" or session.state != State.DRAFT:
            yield (
                session.pk, role, str(other) if other else "", str(session.topic), session.title, session.details,
                session.state, session.created_at, session.accepted_at, session.active_at, session.ended_at,
                session.billable_seconds, session.amount_minor, session.currency,
            )  # fmt: skip


def _chat(user: User) -> Iterator[Row]:
    lines = ChatMessage.objects.filter(_theirs(user)).exclude(body="").select_related("author").order_by("sent_at")
    for line in lines.iterator(chunk_size=AT_ONCE):
        yield line.session_id, line.sent_at, "you" if line.author_id == user.pk else str(line.author), line.body


def _files(user: User) -> Iterator[Row]:
    files = ChatFile.objects.filter(message__author=user).select_related("message")
    for file in files.iterator(chunk_size=AT_ONCE):
        yield (
            file.session_id,
            file.message.sent_at,
            file.name,
            file.content_type,
            file.size,
            public_url(file.get_absolute_url()),
        )


def _notes(user: User) -> Iterator[Row]:
    for kept in SharedNotes.objects.filter(_theirs(user)).select_related("session").iterator(chunk_size=AT_ONCE):
        yield kept.session_id, notes.body_of(kept.session)


def _happened(user: User) -> Iterator[Row]:
    for session in HelpSession.objects.of(user).with_people().iterator(chunk_size=AT_ONCE):
        for entry in timeline_for(session, user):
            who = "you" if entry.by_id == user.pk else str(entry.by or "")
            yield session.pk, entry.at, who, entry.get_kind_display(), entry.note


def _ratings(user: User) -> Iterator[Row]:
    ratings = Rating.objects.filter(_theirs(user)).select_related("session")
    for rating in ratings.iterator(chunk_size=AT_ONCE):
        by = "you" if rating.session.customer_id == user.pk else "the customer"
        yield rating.session_id, by, rating.stars, rating.solved, rating.comment, rating.rated_at


TABLES = (
    Table(
        "sessions",
        (
            "id", "you_were", "with", "topic", "title", "details", "state", "created_at", "accepted_at", "started_at",
            "ended_at", "billable_seconds", "amount_minor", "currency",
        ),
        _sessions,
    ),
    Table("chat", ("session", "at", "by", "text"), _chat),
    Table("files_you_sent", ("session", "at", "name", "content_type", "bytes", "address"), _files),
    Table("shared_notes", ("session", "text"), _notes),
    Table(
        "edits_of_notes",
        ("session", "at", "number"),
        lambda user: values(NotesEdit.objects.filter(author=user), "session", "edited_at", "revision"),
    ),
    Table("what_happened", ("session", "at", "by", "what", "note"), _happened),
    Table(
        "times_in_rooms",
        ("session", "joined_at", "last_seen_at", "left_at"),
        lambda user: values(Attendance.objects.filter(person=user), "session", "joined_at", "last_seen_at", "left_at"),
    ),
    Table("ratings", ("session", "by", "stars", "solved", "comment", "at"), _ratings),
    Table(
        "problems_you_reported",
        ("session", "at", "problem", "state", "answer", "answered_at"),
        lambda user: values(
            Case.objects.filter(by=user), "session", "opened_at", "problem", "state", "answer", "answered_at"
        ),
    ),
    Table(
        "people_you_reported",
        ("session", "at", "reason", "words", "state"),
        lambda user: values(PersonReport.objects.filter(by=user), "session", "at", "reason", "words", "state"),
    ),
    Table(
        "waiting_to_be_told",
        ("session", "since", "ended_at"),
        lambda user: values(Watch.objects.filter(customer=user), "session", "since", "ended_at"),
    ),
)  # fmt: skip
