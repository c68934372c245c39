"""What the API takes and answers for events."""

from tests.peers.stripe_front.books import JSON, page
from tests.peers.stripe_front.errors import no_such
from tests.peers.stripe_front.world import Handlers, World
from tests.peers.stripe_spec import Checked


def _list(world: World, request: Checked) -> JSON:
    query = request.query
    kinds = [query["type"]] if "type" in query else query.get("types")
    newest_first = list(reversed(world.webhooks.events.values()))
    return page(newest_first, query, url="/v1/events", wanted=lambda event: kinds is None or event["type"] in kinds)


def _retrieve(world: World, request: Checked) -> JSON:
    key = request.names["id"]
    if key not in world.webhooks.events:
        raise no_such("event", key)
    return world.webhooks.events[key]


HANDLERS: Handlers = {
    "GET /v1/events": _list,
    "GET /v1/events/{id}": _retrieve,
}
