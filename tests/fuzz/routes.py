"""Every address there is, from the URL configuration, and the forms pages hold for it."""

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from django.apps import apps
from django.urls import NoReverseMatch, Resolver404, URLResolver, get_resolver, resolve, reverse

from tests.fuzz.asgi import Browser
from tests.fuzz.forms import Fields, forms_on
from tests.fuzz.scene import Scene


@dataclass(frozen=True)
class Route:
    """An address by its name, with the names of its parts."""

    name: str
    parts: tuple[str, ...]

    def __str__(self) -> str:
        return self.name


# For a part of an address that nothing of the scene has: numbers, words, ids.
NOT_OURS: list[object] = ["1", "none", "a" * 300, str(2**40), str(UUID(int=0))]
# They look at no body, and close the connections of the process they are asked in.
LOOKED_AT = {"healthz", "readyz", "metrics"}


def routes() -> list[Route]:
    """Return every named address that may look at what is sent."""
    found = {route for route in _routes(get_resolver()) if route.name not in LOOKED_AT}
    return sorted(found, key=lambda route: (route.name, route.parts))


def _routes(resolver: URLResolver, namespace: str = "", parts: tuple[str, ...] = ()) -> Iterator[Route]:
    for pattern in resolver.url_patterns:
        mine = (*parts, *(pattern.pattern.converters or dict.fromkeys(pattern.pattern.regex.groupindex)))
        if isinstance(pattern, URLResolver):
            yield from _routes(pattern, f"{pattern.namespace}:" if pattern.namespace else namespace, mine)
        elif pattern.name:
            yield Route(f"{namespace}{pattern.name}", mine)


def paths_of(route: Route, scene: Scene) -> list[str]:
    """Return addresses of `route`: of things that are there, whoever they belong to, and of some that are not."""
    if route.parts == ():
        return [reverse(route.name)]
    return _paths(route, [_values(part, route, scene) for part in route.parts]) or _paths(route, [NOT_OURS])


def _paths(route: Route, values: list[list[object]]) -> list[str]:
    found = []
    for index in range(max(map(len, values))):
        given = {part: mine[index % len(mine)] for part, mine in zip(route.parts, values, strict=True)}
        try:
            found.append(reverse(route.name, kwargs=given))
        except NoReverseMatch:
            try:
                found.append(reverse(route.name, args=list(given.values())))
            except NoReverseMatch:
                continue
    return found


def _values(part: str, route: Route, scene: Scene) -> list[object]:
    if part == "object_id":
        app_label, model = _model_of(route.name)
        first = apps.get_model(app_label, model)._default_manager.order_by("pk").first()
        return [*([first.pk] if first is not None else []), *scene.ids["session_id"][-1:], "none", "_5F"]
    return scene.ids.get(part) or NOT_OURS


def _model_of(name: str) -> tuple[str, str]:
    """Return app and model of one of the admin's own addresses, such as admin:auth_group_change."""
    rest = name.removeprefix("admin:")
    for model in apps.get_models():
        if rest.startswith(f"{model._meta.app_label}_{model._meta.model_name}_"):
            return model._meta.app_label, str(model._meta.model_name)
    return "auth", "group"


def forms_of_all_pages(scene: Scene) -> dict[str, Fields]:
    """Return the fields of every form on any page that somebody sees, by the name of the address it is sent to."""
    found: dict[str, Fields] = {}
    for person in (None, *scene.people.values()):
        browser = Browser(person)
        for route in routes():
            for path in paths_of(route, scene)[:1]:
                answer = browser.send("GET", path)
                assert answer.status < 500, f"GET {path} answers {answer.status} to {person}"
                if answer.status == 200 and answer.headers["content-type"].startswith("text/html"):
                    for address, fields in forms_on(path, answer.body.decode()).items():
                        if name := _name_of(address):
                            found.setdefault(name, {}).update(fields)
    return found


def _name_of(address: str) -> str:
    try:
        return resolve(address).view_name
    except Resolver404:
        return ""
