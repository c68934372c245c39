"""Mails to experts about what operators decided. Each goes out once; each says what to do next."""

from collections import Counter
from datetime import datetime, timedelta
from uuid import UUID

from django.urls import reverse

from accounts.mail import send_once
from accounts.models import ExpertProfile, ExpertTopic, SentMail
from hopps.http import public_url

# What the keys of the mails about suspension begin with.
SUSPENSION = "suspension"
# A job that is alive has mailed by then; later than that it is no news.
GRACE, NEWS = timedelta(minutes=1), timedelta(days=1)


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
    return send_once(key=_decided_key(expert.pk, decided_at), to=expert.user, subject=subject, text="\n".join(lines))


def mail_suspension(expert: ExpertProfile) -> bool:
    """Mail that the expert is suspended, or no longer, and what to do; return whether a mail went out now.

    Nothing goes out where they know already, or where it was lifted before they heard of it.

    Args:
        expert: with its user, as it stands now.

    Raises:
        OSError, smtplib.SMTPException: the mail server did not take it; call again.
    """
    prefix = f"{SUSPENSION}:{expert.pk}:"
    told = SentMail.objects.filter(key__startswith=prefix).count()
    is_suspended = expert.state == ExpertProfile.State.SUSPENDED
    if is_suspended == _knows_of_it(told):
        return False
    subject, lines = _suspended(expert) if is_suspended else _lifted(expert)
    return send_once(key=f"{prefix}{told}", to=expert.user, subject=subject, text="\n".join(lines))


def untold(now: datetime) -> list[tuple[UUID, datetime]]:
    """Return the experts and moments of the decisions nobody was told of at `now` (UTC), because the job was lost."""
    decided = ExpertTopic.objects.filter(decided_at__range=(now - NEWS, now - GRACE), decided_by__isnull=False)
    moments = {
        _decided_key(expert_id, decided_at): (expert_id, decided_at)
        for expert_id, decided_at in decided.exclude(state=ExpertTopic.State.APPLIED).values_list("expert_id", "decided_at")
        if decided_at is not None
    }
    told = set(SentMail.objects.filter(key__in=list(moments)).values_list("key", flat=True))
    return [moment for key, moment in moments.items() if key not in told]


def untold_of_suspension() -> list[UUID]:
    """Return the experts who do not know that they are suspended, or that it is over."""
    keys = SentMail.objects.filter(key__startswith=f"{SUSPENSION}:").values_list("key", flat=True)
    times_told = Counter(UUID(key.split(":")[1]) for key in keys)
    know = {expert_id for expert_id, told in times_told.items() if _knows_of_it(told)}
    suspended = set(ExpertProfile.objects.filter(state=ExpertProfile.State.SUSPENDED).values_list("pk", flat=True))
    return sorted(know ^ suspended)


def _knows_of_it(told: int) -> bool:
    """Whether somebody who had so many mails of suspension takes themselves for suspended: each second one ends it."""
    return told % 2 == 1


def _suspended(expert: ExpertProfile) -> tuple[str, list[str]]:
    earnings = public_url(reverse("earnings"))
    return "Your expert account is suspended", [
        f"Hello {expert.user},", "",
        "an operator suspended your expert account. No requests reach you, and you cannot accept any.", "",
        "A session that is running goes on, and what you earned stays yours:", "", f"    {earnings}", "",
        "What to do: answer this mail and tell us your side. An operator reads it and can lift the suspension.", "",
    ]  # fmt: skip


def _lifted(expert: ExpertProfile) -> tuple[str, list[str]]:
    if expert.is_approved:
        board = public_url(reverse("board"))
        next_step = ["What next: switch yourself to available when you want requests again.", "", f"    {board}", ""]
    else:
        next_step = ["How your topics stand:", "", f"    {public_url(reverse('expert_settings'))}", ""]
    lines = [f"Hello {expert.user},", "", "the suspension of your expert account is over.", "", *next_step]
    return "Your expert account is no longer suspended", lines


def _subject(approved: list[ExpertTopic], refused: list[ExpertTopic]) -> str:
    names = ", ".join(topic.topic.name for topic in approved or refused)
    if not refused:
        return f"You are approved: {names}"
    return f"You are approved: {names}; not for all topics" if approved else f"Not approved: {names}"


def _decided_key(expert_id: UUID, decided_at: datetime) -> str:
    return f"decided:{expert_id}:{round(decided_at.timestamp() * 1000)}"
