"""What the job worker does for people: asks what became of their texts, and mails them."""

import logging
from datetime import datetime
from uuid import UUID

from huey.contrib.djhuey import db_task

from accounts import consent_mails, expert_mails
from accounts.models import ExpertProfile, TextConsent, User
from accounts.sign_in import mails as sign_in_mails
from hopps.sending import NotTaken

logger = logging.getLogger(__name__)

# Seconds after which a text is asked about again: its row may not know its name yet, and a price comes late.
AGAIN_AFTER = (5, 60, 10 * 60, 60 * 60)


@db_task()  # type: ignore[untyped-decorator]  # huey carries no types
def look_into_text(gateway: str, ref: str, times: int = 0) -> None:
    """Ask what became of the text `gateway` calls `ref`; again a few times while not all is known. `times`: asked before."""
    from accounts import delivery  # late: what it does sets a job of this module

    message = delivery.find(gateway=gateway, ref=ref)
    try:
        if message is not None and delivery.look_into(message):
            return
    except NotTaken as problem:
        logger.warning("%s was not told about: %s", ref, problem)
    if times < len(AGAIN_AFTER):
        look_into_text.schedule(args=(gateway, ref, times + 1), delay=AGAIN_AFTER[times])


@db_task(retries=5, retry_delay=60)  # type: ignore[untyped-decorator]
def mail_texts_ended(consent_id: str) -> None:
    """Mail a person that their texts ended though they did not switch them off, once."""
    consent = TextConsent.objects.select_related("user").filter(pk=UUID(consent_id)).first()
    if consent is not None:
        consent_mails.mail_texts_ended(consent)


@db_task(retries=5, retry_delay=60)  # type: ignore[untyped-decorator]
def mail_address_changed(user_id: str, before: str, after: str) -> None:
    """Tell the address a person had that there is another one now."""
    from accounts import mail_address  # late: a change sets this very job

    mail_address.tell_old_address(user=User.objects.get(pk=UUID(user_id)), before=before, after=after)


@db_task()  # type: ignore[untyped-decorator]
def finish_erasing(user_id: str) -> None:
    """Remove what there is of a person who deleted their account. What fails is tried again by the minute's sweep."""
    from accounts import erasing  # late: deleting sets this very job

    erasing.finish(User.objects.get(pk=UUID(user_id)))


@db_task(retries=5, retry_delay=60)  # type: ignore[untyped-decorator]
def mail_decisions(expert_id: str, decided_at: str) -> None:
    """Mail an applicant what was decided at that moment, once."""
    expert_mails.mail_decisions(_expert(expert_id), datetime.fromisoformat(decided_at))


@db_task(retries=5, retry_delay=60)  # type: ignore[untyped-decorator]
def mail_suspension(expert_id: str) -> None:
    """Mail an expert that they are suspended, or that it is over, unless they know."""
    expert_mails.mail_suspension(_expert(expert_id))


@db_task(retries=5, retry_delay=60)  # type: ignore[untyped-decorator]
def mail_second_factor_reset(user_id: str, key: str) -> None:
    """Mail a person that an operator took their second steps away, once."""
    sign_in_mails.mail_second_factor_reset(user=User.objects.get(pk=UUID(user_id)), key=key)


@db_task(retries=5, retry_delay=60)  # type: ignore[untyped-decorator]
def mail_notice(to: str, subject: str, text: str) -> None:
    """Mail what the mail server did not take while the page waited: a notice about an account, a code or a link."""
    sign_in_mails.mail_notice(to=to, subject=subject, text=text)


def _expert(expert_id: str) -> ExpertProfile:
    return ExpertProfile.objects.select_related("user").get(pk=UUID(expert_id))
