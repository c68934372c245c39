"""Consent to texts: given with the words agreed to, kept for good, ended by the person, by STOP or by the carrier."""

from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.consent_mails import TOLD
from accounts.experts import refresh_boards
from accounts.jobs import mail_texts_ended
from accounts.models import Phone, TextConsent, User


def number_for_texts(user: User) -> str | None:
    """Return the verified number `user` agreed to get texts at, or None."""
    phone = Phone.objects.filter(user=user).first()
    if phone is None:
        return None
    agreed = TextConsent.objects.filter(user=user, number=phone.number, ended_at=None).exists()
    return phone.number if agreed else None


def give_consent(*, user: User, number: str, wording: str) -> None:
    """Write down that `user` agreed, now, to texts at `number` (E.164), in the words `wording`. Told twice, kept once."""
    TextConsent.objects.filter(user=user, ended_at=None).exclude(number=number).update(
        ended_at=timezone.now(), ended_by=TextConsent.EndedBy.CHANGED
    )
    try:
        with transaction.atomic():
            TextConsent.objects.create(user=user, number=number, wording=wording)
    except IntegrityError:
        pass


def end_consent(
    *, number: str, by: TextConsent.EndedBy, user: User | None = None, given_before: datetime | None = None
) -> bool:
    """End the consent to texts at `number`, whoever's it is (or `user`'s); return whether there was one to end.

    Who did not end it on the settings page is told by mail, once.

    Args:
        number: in E.164.
        by: who or what ends it.
        user: whose, if only theirs.
        given_before: UTC; a consent given later stands. For news of a text, which says nothing of what came after it.
    """
    consents = TextConsent.objects.filter(number=number, ended_at=None)
    if user is not None:
        consents = consents.filter(user=user)
    if given_before is not None:
        consents = consents.filter(given_at__lte=given_before)
    ended = [consent for consent in consents if _end(consent, by)]
    refresh_boards(*(consent.user_id for consent in ended))
    return bool(ended)


def _end(consent: TextConsent, by: TextConsent.EndedBy) -> bool:
    """End one consent, unless another process has; whoever ends it has the person told."""
    if not TextConsent.objects.filter(pk=consent.pk, ended_at=None).update(ended_at=timezone.now(), ended_by=by):
        return False
    if by in TOLD:
        transaction.on_commit(lambda: mail_texts_ended(str(consent.pk)), robust=True)
    return True
