"""Filters the templates share."""

from django import template

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
