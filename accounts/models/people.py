"""People who sign in."""

import uuid
import zoneinfo
from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone


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
