"""Consent to texts: given with the words agreed to, kept for good, ended by the person, by STOP or by the carrier."""

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.experts import refresh_boards
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


def end_consent(*, number: str, by: TextConsent.EndedBy, user: User | None = None) -> bool:
    """End the consent to texts at `number`, whoever's it is (or `user`'s); return whether there was one to end."""
    consents = TextConsent.objects.filter(number=number, ended_at=None)
    if user is not None:
        consents = consents.filter(user=user)
    people = list(consents.values_list("user_id", flat=True))
    ended = consents.update(ended_at=timezone.now(), ended_by=by)
    refresh_boards(*people)
    return bool(ended)
