"""Jobs any part of Hopps may ask for. huey finds this module by its name."""

from django.core.mail import mail_managers
from huey.contrib.djhuey import db_task


@db_task(retries=5, retry_delay=60)  # type: ignore[untyped-decorator]  # huey carries no types
def mail_operators(subject: str, text: str) -> None:
    """Mail everybody in settings.MANAGERS; a mail server out of reach is tried again, and keeps nobody waiting."""
    mail_managers(" ".join(subject.split()), text)
