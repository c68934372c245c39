"""Mails to experts about what operators decided. Each goes out once; each says what to do next."""

from datetime import datetime

from django.urls import reverse

from accounts.mail import send_once
from accounts.models import ExpertProfile, ExpertTopic
from hopps.http import public_url


def mail_decisions(expert: ExpertProfile, decided_at: datetime) -> bool:
    """Mail every topic decided at that moment with its reason; return whether it went out now.

    A topic that was decided anew meanwhile is left out: its own mail tells of it.

    Args:
        expert: with its user.
        decided_at: aware, as the topics have it.

    Raises:
        OSError, smtplib.SMTPException: the mail server did not take it; call again.
    """
    topics = list(
        expert.topics.filter(decided_at=decided_at).exclude(state=ExpertTopic.State.APPLIED).select_related("topic")
    )
    if not topics:
        return False
    approved = [topic for topic in topics if topic.is_approved]
    refused = [topic for topic in topics if not topic.is_approved]
    lines = [f"Hello {expert.user},", "", "an operator looked at your application as an expert.", ""]
    for topic in approved:
        lines += [f"{topic}: approved.", ""]
    for topic in refused:
        lines += [f"{topic}: not approved.", f"Why: {topic.reason}", ""]
    suspended = expert.state == ExpertProfile.State.SUSPENDED
    if approved and suspended:
        lines += ["Your expert account is suspended, so no requests reach you yet. Answer this mail to sort it out.", ""]
    elif approved:
        board = public_url(reverse("board"))
        lines += ["What next: open your board, turn the sound on and switch yourself to available.", "", f"    {board}", ""]
    if refused:
        settings = public_url(reverse("expert_settings"))
        which = "the topic" if len(refused) == 1 else "a topic"
        lines += [
            f"To apply for {which} again, say what was missing, choose {which} once more and save:", "",
            f"    {settings}", "",
        ]  # fmt: skip
    subject = _subject(approved, refused)
    return send_once(key=_key("decided", expert, decided_at), to=expert.user, subject=subject, text="\n".join(lines))


def mail_suspended(expert: ExpertProfile, moment: datetime) -> bool:
    """Mail that the expert is suspended and what to do; return whether it went out now.

    Args:
        expert: with its user.
        moment: when it was done.

    Raises:
        OSError, smtplib.SMTPException: the mail server did not take it; call again.
    """
    if expert.state != ExpertProfile.State.SUSPENDED:  # lifted meanwhile
        return False
    earnings = public_url(reverse("earnings"))
    lines = [
        f"Hello {expert.user},", "",
        "an operator suspended your expert account. No requests reach you, and you cannot accept any.", "",
        "A session that is running goes on, and what you earned stays yours:", "", f"    {earnings}", "",
        "What to do: answer this mail and tell us your side. An operator reads it and can lift the suspension.", "",
    ]  # fmt: skip
    subject = "Your expert account is suspended"
    return send_once(key=_key("suspended", expert, moment), to=expert.user, subject=subject, text="\n".join(lines))


def mail_lifted(expert: ExpertProfile, moment: datetime) -> bool:
    """Mail that the suspension is over and what to do; return whether it went out now.

    Args:
        expert: with its user.
        moment: when it was done.

    Raises:
        OSError, smtplib.SMTPException: the mail server did not take it; call again.
    """
    if expert.state == ExpertProfile.State.SUSPENDED:  # suspended again meanwhile
        return False
    board, settings = public_url(reverse("board")), public_url(reverse("expert_settings"))
    if expert.is_approved:
        next_step = ["What next: switch yourself to available when you want requests again.", "", f"    {board}", ""]
    else:
        next_step = ["How your topics stand:", "", f"    {settings}", ""]
    lines = [f"Hello {expert.user},", "", "the suspension of your expert account is over.", "", *next_step]
    subject = "Your expert account is no longer suspended"
    return send_once(key=_key("lifted", expert, moment), to=expert.user, subject=subject, text="\n".join(lines))


def _subject(approved: list[ExpertTopic], refused: list[ExpertTopic]) -> str:
    names = ", ".join(topic.topic.name for topic in approved or refused)
    if not refused:
        return f"You are approved: {names}"
    return f"You are approved: {names}; not for all topics" if approved else f"Not approved: {names}"


def _key(what: str, expert: ExpertProfile, moment: datetime) -> str:
    return f"{what}:{expert.pk}:{round(moment.timestamp() * 1000)}"
