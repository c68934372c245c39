"""What pages about experts show of the whole of Hopps."""

from django import template

from accounts.models import ExpertProfile
from sessions_app.checklist import Item, checklist

register = template.Library()


@register.inclusion_tag("experts/_checklist.html")
def expert_checklist(expert: ExpertProfile) -> dict[str, list[Item]]:
    """What `expert` still has to do; nothing is shown once all is done."""
    return {"items": checklist(expert)}
