"""What every page's header needs."""

from django.http import HttpRequest

from accounts.models import User
from sessions_app.models import HelpSession


def navigation(request: HttpRequest) -> dict[str, object]:
    """Return the open session of the signed-in person, so that the way back to it is on every page."""
    user = getattr(request, "user", None)
    if not isinstance(user, User) or request.path.startswith("/admin/"):
        return {}
    return {"open_session": HelpSession.objects.of(user).open().order_by("created_at").first()}
