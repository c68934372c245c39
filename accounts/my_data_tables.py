"""What accounts has about a person."""

from collections.abc import Iterator
from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from allauth.usersessions.models import UserSession
from django.db.models import QuerySet

from accounts.models import (
    Block,
    ExpertHours,
    ExpertProfile,
    ExpertTopic,
    Message,
    Phone,
    Photo,
    PushSubscription,
    SentMail,
    TextConsent,
    User,
)
from accounts.my_data import Row, Table
from hopps.http import public_url

AT_ONCE = 500


def values(rows: "QuerySet[Any]", *columns: str) -> Iterator[Row]:
    """Yield `columns` of the rows, some at a time."""
    yield from rows.values_list(*columns).iterator(chunk_size=AT_ONCE)


def _profile(user: User) -> Iterator[Row]:
    people = User.objects.filter(pk=user.pk)
    return values(people, "id", "display_name", "email", "time_zone", "date_joined", "last_login")


def _expert(user: User) -> Iterator[Row]:
    columns = (
        "headline", "about", "links", "state", "available", "applied_at", "by_push", "by_text", "by_mail", "quiet_until",
    )  # fmt: skip
    return values(ExpertProfile.objects.filter(user=user), *columns)


def _topics(user: User) -> Iterator[Row]:
    for topic in ExpertTopic.objects.filter(expert__user=user).select_related("topic"):
        yield str(topic.topic), topic.state, topic.reason, topic.decided_at


def _hours(user: User) -> Iterator[Row]:
    for row in ExpertHours.objects.filter(expert__user=user):
        yield row.weekday, row.start_minute, row.end_minute


def _photo(user: User) -> Iterator[Row]:
    for photo in Photo.objects.filter(user=user):
        yield photo.set_at, public_url(photo.get_absolute_url())


def _blocks(user: User) -> Iterator[Row]:
    for block in Block.objects.filter(by=user).select_related("person"):
        yield str(block.person), block.reference, block.at


TABLES = (
    Table("profile", ("id", "name", "mail_address", "time_zone", "joined_at", "last_sign_in_at"), _profile),
    Table(
        "mail_addresses",
        ("address", "proven", "main"),
        lambda user: values(EmailAddress.objects.filter(user=user), "email", "verified", "primary"),
    ),
    Table("photo", ("set_at", "address"), _photo),
    Table("phone", ("number", "proven_at"), lambda user: values(Phone.objects.filter(user=user), "number", "verified_at")),
    Table(
        "consents_to_texts",
        ("number", "words", "given_at", "ended_at", "ended_by"),
        lambda user: values(
            TextConsent.objects.filter(user=user), "number", "wording", "given_at", "ended_at", "ended_by"
        ),
    ),
    Table(
        "notified_browsers",
        ("browser", "since"),
        lambda user: values(PushSubscription.objects.filter(user=user), "device", "created_at"),
    ),
    Table(
        "signed_in_devices",
        ("address", "browser", "since", "last_seen_at"),
        lambda user: values(UserSession.objects.filter(user=user), "ip", "user_agent", "created_at", "last_seen_at"),
    ),
    Table(
        "second_factors",
        ("kind", "since", "last_used_at"),
        lambda user: values(Authenticator.objects.filter(user=user), "type", "created_at", "last_used_at"),
    ),
    Table(
        "sign_in_providers",
        ("provider", "since", "last_sign_in_at"),
        lambda user: values(SocialAccount.objects.filter(user=user), "provider", "date_joined", "last_login"),
    ),
    Table(
        "expert_profile",
        (
            "headline", "about", "links", "state", "available", "applied_at", "by_notification", "by_text", "by_mail",
            "quiet_until",
        ),
        _expert,
    ),
    Table("expert_topics", ("topic", "state", "reason", "decided_at"), _topics),
    Table("expert_hours", ("weekday_from_monday_0", "start_minute", "end_minute"), _hours),
    Table("blocked_people", ("name", "session", "at"), _blocks),
    Table(
        "messages_to_you",
        ("at", "by", "about", "address", "text", "outcome"),
        lambda user: values(
            Message.objects.filter(to=user), "created_at", "way", "purpose", "address", "text", "state"
        ),
    ),
    Table(
        "mails_to_you",
        ("at", "subject"),
        lambda user: values(SentMail.objects.filter(to=user), "sent_at", "subject"),
    ),
)  # fmt: skip
