"""The mail to a person whose texts ended by STOP or by their carrier: what happened, and how to switch them on again."""

from datetime import datetime, timedelta

from django.urls import reverse

from accounts.mail import send_once
from accounts.models import ExpertProfile, SentMail, TextConsent
from hopps.http import public_url

EndedBy = TextConsent.EndedBy
TOLD = (EndedBy.STOP, EndedBy.CARRIER)

# A job that is alive has mailed by then; later than that it is no news.
GRACE, NEWS = timedelta(minutes=5), timedelta(days=1)

WHAT_HAPPENED = {
    EndedBy.STOP: "You answered STOP to a text of ours, so we do not text {number} any more.",
    EndedBy.CARRIER: (
        "We could not text {number}: the carrier refuses our texts to that number. So we do not text it any more.\n"
        "This happens when a number is no mobile phone, is not in use, or blocked our texts."
    ),
}
TEXT = """Hello {name},

{what_happened}

You are still told of requests on your board, and in the other ways you chose.

To get texts again, switch them on at {url}{and_first}
"""
AND_FIRST = {
    EndedBy.STOP: ".\nFirst answer START to the last text you had from us: until then your carrier keeps ours from you.",
    EndedBy.CARRIER: ",\nwith this number once it takes texts, or with another.",
}


def key_of(consent_id: object) -> str:
    """Return the key under which the mail about one consent goes out once."""
    return f"texts-ended:{consent_id}"


def mail_texts_ended(consent: TextConsent) -> bool:
    """Tell who gave `consent` that it ended, unless texts are switched on again already; return whether a mail went out.

    Raises:
        OSError, smtplib.SMTPException: the mail server did not take it.
    """
    ended_by = EndedBy(consent.ended_by) if consent.ended_by else None
    on_again = TextConsent.objects.filter(user=consent.user, ended_at=None).exists()
    if ended_by not in TOLD or on_again:
        return False
    # Whoever is no expert has no page of ways, and agrees where the number is.
    is_expert = ExpertProfile.objects.filter(user=consent.user).exists()
    page = reverse("expert_reach" if is_expert else "account_change_phone")
    return send_once(
        key=key_of(consent.pk),
        to=consent.user,
        subject="We do not text you any more",
        text=TEXT.format(
            name=consent.user.display_name,
            what_happened=WHAT_HAPPENED[ended_by].format(number=consent.number),
            url=public_url(page),
            and_first=AND_FIRST[ended_by],
        ),
    )


def untold(now: datetime) -> list[TextConsent]:
    """Return the consents whose end nobody was told of at `now` (UTC), because the job was lost."""
    window = (now - NEWS, now - GRACE)
    ended = {key_of(one.pk): one for one in TextConsent.objects.filter(ended_by__in=TOLD, ended_at__range=window)}
    told = set(SentMail.objects.filter(key__in=list(ended)).values_list("key", flat=True))
    return [consent for key, consent in ended.items() if key not in told]
