"""The words of a request, kept in the browser session until there is an account to keep them for."""

from uuid import UUID

from django.http import HttpRequest, QueryDict

from accounts.models import User
from sessions_app.first import past_session_with
from sessions_app.models import HelpSession

KEY = "words"
FIELDS = ("topic", "title", "details", "cap_minutes", "first")


def keep_words(request: HttpRequest, data: QueryDict) -> None:
    """Keep what was typed, as it was typed, through sign-up, sign-in and a declined card."""
    request.session[KEY] = {name: data[name] for name in FIELDS if data.get(name)}


def forget_words(request: HttpRequest) -> None:
    """The request is live: its words are in it."""
    request.session.pop(KEY, None)


def has_kept_words(request: HttpRequest) -> bool:
    """Return whether this visitor wrote a request and has not sent it."""
    return bool(request.session.get(KEY))


def kept_words(request: HttpRequest, draft: HelpSession | None) -> dict[str, object]:
    """Return the ask form's initial values: what was typed last, else the person's draft."""
    kept = request.session.get(KEY)
    if isinstance(kept, dict):
        return kept
    return words_of(draft) if draft is not None else {}


def words_of(session: HelpSession) -> dict[str, object]:
    """Return the ask form's values of an earlier request."""
    words: dict[str, object] = {
        "topic": str(session.topic_id),
        "title": session.title,
        "details": session.details,
        "cap_minutes": session.cap_minutes,
    }
    if session.first_expert is not None:
        before = past_session_with(customer=session.customer, expert=session.first_expert)
        words["first"] = str(before.pk) if before is not None else ""
    return words


def words_to_ask_again(session_id: str, user: User) -> dict[str, object] | None:
    """Return the words of one of `user`'s own requests, to ask again; None where it is not theirs."""
    try:
        session = HelpSession.objects.filter(pk=UUID(session_id), customer=user).first()
    except ValueError:
        return None
    return words_of(session) if session is not None else None
