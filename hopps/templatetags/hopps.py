"""Filters the templates share."""

from datetime import datetime, timedelta

from django import template
from django.conf import settings
from django.utils import timezone
from django.utils.formats import date_format

from hopps import money as amounts

register = template.Library()


@register.filter
def money(minor: int, currency: str) -> str:
    """`{{ 1250|money:"USD" }}` → $12.50."""
    return amounts.format_money(minor, currency)


@register.filter
def clock(seconds: int) -> str:
    """`{{ 754|clock }}` → 12:34, and 1:02:03 from an hour on."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


@register.filter
def spoken(seconds: int) -> str:
    """`{{ 95|spoken }}` → 1 min 35 s."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    parts = [f"{hours} h" if hours else "", f"{minutes} min" if minutes else "", f"{rest} s" if rest else ""]
    return " ".join(part for part in parts if part) or "0 s"


@register.filter
def minus(number: int, other: int) -> int:
    """`{{ 1036|minus:120 }}` → 916, and never below 0."""
    return max(0, number - other)


@register.filter
def moment(at: datetime | None) -> str:
    """A time of the next days, with its day unless that is today: 14:00, Thursday 08:00, 3 January 08:00."""
    if at is None:
        return ""
    local, now = timezone.localtime(at), timezone.localtime()
    if local.date() == now.date():
        return date_format(local, "H:i")
    return date_format(local, "l H:i" if at - now < timedelta(days=6) else "j F H:i")


@register.simple_tag
def mail_is_printed() -> bool:
    """Whether mail goes to the server's console, as in development: the page then says where to look for a code."""
    return settings.EMAIL_BACKEND.endswith(".console.EmailBackend")


@register.simple_tag
def texts_are_printed() -> bool:
    """Whether texts go to the server's console, as in development."""
    return settings.SMS == "console"


@register.simple_tag
def fit_window() -> str:
    """The free first stretch with an expert new to the customer, such as "2 min"; empty where there is none."""
    return spoken(settings.FIT_WINDOW_SECONDS) if settings.FIT_WINDOW_SECONDS else ""
