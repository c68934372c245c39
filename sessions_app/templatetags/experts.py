"""What pages about experts show of the whole of Hopps."""

from typing import Any

from django import template

from accounts.models import ExpertProfile
from sessions_app.checklist import checklist

register = template.Library()


@register.inclusion_tag("experts/_checklist.html")
def expert_checklist(expert: ExpertProfile, *, folded: bool = False) -> dict[str, Any]:
    """What `expert` still has to do; nothing is shown once all is done. `folded`: one line until it is opened."""
    items = checklist(expert)
    return {"expert": expert, "items": items, "left": sum(not item.done for item in items), "folded": folded}
