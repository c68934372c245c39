"""Filters of the pages about signing in."""

from collections.abc import Sequence
from urllib.parse import quote

from django import template

register = template.Library()


@register.filter
def in_fours(key: str) -> str:
    """`{{ "ABCDEFGH"|in_fours }}` → ABCD EFGH: what is typed over is easier to keep one's place in."""
    return " ".join(key[at : at + 4] for at in range(0, len(key), 4))


@register.filter
def as_text_file(lines: Sequence[str]) -> str:
    """The address of a text file with these lines, inside the page: what is shown once is nowhere to be fetched again."""
    return "data:text/plain;charset=utf-8," + quote("Hopps recovery codes, each good once\n\n" + "\n".join(lines) + "\n")
