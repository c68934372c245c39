"""People who sign in."""

import uuid
import zoneinfo
from typing import Any, ClassVar

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.urls import reverse
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
    erased_at = models.DateTimeField(null=True, blank=True, editable=False, help_text="When the person deleted the account.")

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


class Photo(models.Model):
    """A person's picture, as it is given out: square, and without what cameras write into files."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True, related_name="photo")
    # In the storage "uploads". Each picture has a name of its own: what is stored never changes.
    stored = models.CharField(max_length=100, unique=True)
    set_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"Photo of {self.user}"

    def get_absolute_url(self) -> str:
        return reverse("photo", args=[self.pk, self.version])

    @property
    def version(self) -> str:
        """What the address carries, so that a new photo has a new one."""
        return self.stored[-12:]


class Suspension(models.Model):
    """A stretch of time in which a person may not sign in, with who decided it and why. The open one holds."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="suspensions")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=500, help_text="For operators.")
    began_at = models.DateTimeField(default=timezone.now)
    lifted_at = models.DateTimeField(null=True, blank=True)
    lifted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user"], condition=Q(lifted_at=None), name="one_open_suspension"),
        ]
        ordering: ClassVar = ["-began_at"]

    def __str__(self) -> str:
        return f"{self.user}, {'lifted' if self.lifted_at else 'suspended'}"


class Block(models.Model):
    """A person who does not want to meet another one in a session again. It holds both ways, and the other is not told."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="blocks")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="blocked_by")
    # The help session it was done from.
    reference = models.UUIDField(null=True, blank=True)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["by", "person"], name="blocked_once")]
        ordering: ClassVar = ["-at"]

    def __str__(self) -> str:
        return f"{self.by} does not meet {self.person}"
