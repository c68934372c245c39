"""How pages show a kept chat."""

from django import template
from django.utils.safestring import SafeString

from sessions_app import chat_words

register = template.Library()


@register.filter
def chat_words_of(body: str) -> SafeString:
    """What somebody wrote, with its code and links."""
    return chat_words.as_html(body)


@register.filter
def size_text(size: int) -> str:
    """`{{ 34000|size_text }}` → 34 KB."""
    return chat_words.size_text(size)
