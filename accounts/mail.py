"""Mail to a person that goes out once, whoever is asked to send it."""

from django.core.mail import EmailMessage
from django.db import IntegrityError, transaction

from accounts.models import SentMail, User

# Reserved (RFC 2606): mail to it goes nowhere. Addresses of people who deleted their account end so.
ERASED_DOMAIN = "@erased.invalid"


def send_once(
    *,
    key: str,
    to: User,
    subject: str,
    text: str,
    attachment: tuple[str, bytes, str] | None = None,
    address: str | None = None,
) -> bool:
    """Mail `text` to a person, unless a mail under `key` went out before; return whether it went out now.

    The row is written first, and taken back when the mail server does not take the mail: two processes send one mail, and
    a mail that could not be sent can be tried again. Call it from a job: it waits for the mail server.

    A process killed between the row and the mail server loses that mail for good, as nobody can tell it from one that was
    sent: we would rather send no mail than two, and every mail is about what the person's pages say too.

    Args:
        key: what the mail is about, such as `receipt:<session id>`.
        subject: one line; line breaks become spaces.
        attachment: file name, content and media type.
        address: where to; None: the person's own. Nobody is mailed who deleted their account.

    Raises:
        OSError, smtplib.SMTPException: the mail server did not take it; nothing is written down.
    """
    address = address or to.email
    if address.endswith(ERASED_DOMAIN):
        return False
    subject = " ".join(subject.split())
    try:
        with transaction.atomic():
            row = SentMail.objects.create(key=key, to=to, subject=subject[:200])
    except IntegrityError:
        return False
    message = EmailMessage(subject=subject, body=text, to=[address])
    if attachment is not None:
        message.attach(*attachment)
    try:
        message.send()
    except BaseException:
        SentMail.objects.filter(pk=row.pk).delete()
        raise
    return True
