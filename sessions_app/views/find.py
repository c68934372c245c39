"""The help session an address names. Whether it is for who asks, the table in `accounts/permissions.py` says."""

from uuid import UUID

from sessions_app.models import HelpSession, State


def a_session(pk: UUID) -> HelpSession | None:
    """Return the session with the people in it."""
    return HelpSession.objects.with_people().select_related("first_expert").filter(pk=pk).first()


def a_request(pk: UUID) -> HelpSession | None:
    """Return the session, where it was ever put in front of experts."""
    session = a_session(pk)
    return None if session is None or session.state == State.DRAFT else session
