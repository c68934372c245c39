"""How a person is shown."""

from django import template

from accounts.models import User
from accounts.photos import photo_of

register = template.Library()


@register.inclusion_tag("components/avatar.html")
def avatar(person: User | None, size: str = "", alt: str = "") -> dict[str, object]:
    """`{% avatar session.expert size="large" %}`: the person's photo, or their initials where there is none.

    Args:
        size: "large", "small", or "" for the usual one.
        alt: what the photo is, where the person's name does not stand beside it.
    """
    photo = photo_of(person) if person is not None else None
    return {"photo": photo, "initials": initials(str(person or "")), "size": size, "alt": alt}


def initials(name: str) -> str:
    """Return the first letters of the first and the last word of a name, such as "AL" for Ada King of Lovelace."""
    words = [word for word in name.split() if word[0].isalnum()]
    return "".join(word[0] for word in (words[0], *words[1:][-1:])).upper() if words else "?"
