"""The groups of operators in the database, kept as the table in `permissions.py` says after every migrate."""

from typing import Any

from django.apps import AppConfig
from django.apps import apps as apps_now
from django.apps.registry import Apps

from accounts.permissions import READ_BY_OPERATORS, Team, rights_of


def keep_teams(sender: AppConfig, using: str, apps: Apps = apps_now, **_: Any) -> None:
    """Let each team hold the permissions for the rows of one app that the table gives it, and no others of that app.

    Django has just made the app's permissions: it tells of each app after the last migration. Safe to repeat.

    Args:
        sender: the app.
        using: the database.
        apps: all models as the migrations that were run leave them; as they are now, after a flush.
    """
    try:
        groups = apps.get_model("auth", "Group")._base_manager.using(using)
        permissions = apps.get_model("auth", "Permission")._base_manager.using(using)
    except LookupError:  # migrated to a time before there were any
        return
    of_app = list(permissions.filter(content_type__app_label=sender.label))
    if not of_app:
        return
    for team in Team:
        rights = rights_of(team)
        wanted = {permission.pk for permission in of_app if _is_for(permission, sender.label, rights)}
        group, _created = groups.get_or_create(name=str(team))
        held = set(group.permissions.filter(content_type__app_label=sender.label).values_list("pk", flat=True))
        group.permissions.add(*wanted - held)
        group.permissions.remove(*held - wanted)


def _is_for(permission: Any, app_label: str, rights: frozenset[str]) -> bool:
    reads = app_label in READ_BY_OPERATORS and permission.codename.startswith("view_")
    return reads or f"{app_label}.{permission.codename}" in rights
