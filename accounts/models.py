"""People: users, experts, and the topics they help with."""

import uuid
import zoneinfo
from datetime import datetime, timedelta
from typing import Any, ClassVar

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator, RegexValidator
from django.db import models
from django.utils import timezone

from hopps.money import format_money


def validate_time_zone(name: str) -> None:
    """Raise ValidationError unless `name` is an IANA time zone."""
    if name not in zoneinfo.available_timezones():
        raise ValidationError(f"{name!r} is not a time zone we know. Choose one such as Europe/Vienna.")


class UserManager(BaseUserManager["User"]):
    """Makes users who sign in by email."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Return a new, saved user. `password=None` makes one who cannot sign in by password."""
        user = self.model(email=email.strip().lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Return a new operator with every permission (manage.py createsuperuser)."""
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email=(username or "").strip().lower())


class User(AbstractBaseUser, PermissionsMixin):
    """A person: customer, expert or operator, or several of these."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    # Kept in lower case by the manager and by allauth, so that unique means unique in any case.
    email = models.EmailField("email", unique=True, error_messages={"unique": "Somebody with this email is already here."})
    display_name = models.CharField("name", max_length=80, help_text="What the other person in a session sees.")
    time_zone = models.CharField(max_length=64, default="UTC", validators=[validate_time_zone])
    is_staff = models.BooleanField("operator", default=False, help_text="May sign in to this admin.")
    is_active = models.BooleanField("active", default=True, help_text="Clear this instead of deleting a person.")
    date_joined = models.DateTimeField(default=timezone.now, editable=False)

    objects: ClassVar[UserManager] = UserManager()

    EMAIL_FIELD = "email"
    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["display_name"]

    def __str__(self) -> str:
        return self.display_name or self.email

    def get_full_name(self) -> str:
        return self.display_name

    def get_short_name(self) -> str:
        return self.display_name


class Topic(models.Model):
    """An area of help with a price per minute."""

    class Area(models.TextChoices):
        ENGINEERING = "engineering", "Engineering"
        MARKETING = "marketing", "Marketing"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    area = models.CharField(max_length=20, choices=Area)
    name = models.CharField(max_length=60)
    slug = models.SlugField(unique=True)
    price_per_minute = models.PositiveIntegerField(
        validators=[MinValueValidator(1)], help_text="In minor units: 200 is $2.00 a minute."
    )
    currency = models.CharField(
        max_length=3,
        default="USD",
        validators=[RegexValidator(r"^[A-Z]{3}$", "Three capital letters, such as USD.")],
    )
    is_active = models.BooleanField(default=True, help_text="Can be asked for. Past sessions keep theirs either way.")
    position = models.PositiveSmallIntegerField(default=0, help_text="Order on the page.")

    class Meta:
        ordering: ClassVar = ["area", "position", "name"]

    def __str__(self) -> str:
        return f"{self.get_area_display()} / {self.name}"

    @property
    def price_text(self) -> str:
        """The price as people read it, such as "$2.00/min"."""
        return f"{format_money(self.price_per_minute, self.currency)}/min"


class ExpertQuerySet(models.QuerySet["ExpertProfile"]):
    """Questions about experts."""

    def approved(self) -> "ExpertQuerySet":
        """Experts an operator approved, and whose account is open."""
        return self.filter(state=ExpertProfile.State.APPROVED, user__is_active=True)

    def available(self) -> "ExpertQuerySet":
        """Approved experts who switched themselves to available."""
        return self.approved().filter(available=True)

    def online(self, now: datetime) -> "ExpertQuerySet":
        """Available experts with a board open at `now`."""
        fresh = now - timedelta(seconds=settings.PRESENCE_STALE_SECONDS)
        return self.available().filter(board_seen_at__gte=fresh)

    def for_topic(self, topic: Topic) -> "ExpertQuerySet":
        """Experts approved for `topic`."""
        return self.filter(topics__topic=topic, topics__approved=True)


class ExpertProfile(models.Model):
    """What makes a user an expert: an application, an operator's approval, and the availability switch."""

    class State(models.TextChoices):
        APPLIED = "applied", "Applied"
        APPROVED = "approved", "Approved"
        REFUSED = "refused", "Refused"
        SUSPENDED = "suspended", "Suspended"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="expert")
    headline = models.CharField(
        max_length=120, help_text="One line customers see, such as “Postgres performance, 12 years”."
    )
    about = models.TextField(max_length=2000, blank=True)
    state = models.CharField(max_length=10, choices=State, default=State.APPLIED)
    available = models.BooleanField(default=False, help_text="The expert's own switch: requests chime only while it is on.")
    board_seen_at = models.DateTimeField(null=True, blank=True, editable=False)
    applied_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = ExpertQuerySet.as_manager()

    class Meta:
        verbose_name = "expert"

    def __str__(self) -> str:
        return str(self.user)

    @property
    def is_approved(self) -> bool:
        """Whether an operator's approval stands."""
        return self.state == self.State.APPROVED


class ExpertTopic(models.Model):
    """A topic an expert offers; it counts once an operator approved it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    expert = models.ForeignKey(ExpertProfile, on_delete=models.CASCADE, related_name="topics")
    topic = models.ForeignKey(Topic, on_delete=models.PROTECT, related_name="experts")
    approved = models.BooleanField(default=False)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["expert", "topic"], name="expert_topic_once")]

    def __str__(self) -> str:
        return str(self.topic)


class SentMail(models.Model):
    """A mail that goes out once: the unique key decides who sends it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    key = models.CharField(max_length=80, unique=True)
    to = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    subject = models.CharField(max_length=200)
    sent_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar = ["-sent_at"]

    def __str__(self) -> str:
        return self.subject
