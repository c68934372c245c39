"""All objects of the stand-in, by id, as Stripe would show them."""

import copy
import secrets
import string
import time
from collections.abc import Callable
from typing import Any

# One of Stripe's objects, or a part of it. Their fields are many and checked by Stripe's own SDK, not by types here.
JSON = dict[str, Any]

PREFIXES = {
    "account": "acct_",
    "balance_transaction": "txn_",
    "charge": "ch_",
    "checkout.session": "cs_test_",
    "customer": "cus_",
    "dispute": "du_",
    "event": "evt_",
    "payment_intent": "pi_",
    "payment_method": "pm_",
    "refund": "re_",
    "setup_intent": "seti_",
    "transfer": "tr_",
    "transfer_reversal": "trr_",
}
WITHOUT_LIVEMODE = ("account", "balance_transaction", "refund", "transfer_reversal")
DEEPEST_EXPANSION = 4


class CannotExpand(Exception):
    """`expand` names what is no id of another object. The message is Stripe's."""


def random_id(prefix: str) -> str:
    """Return an id nobody guesses, such as "pi_3q…"."""
    return prefix + "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(24))


def now() -> int:
    """Return the time in seconds, as Stripe writes it."""
    return int(time.time())


class Books:
    """The objects, oldest first. Their links to each other are ids; `shown` expands them."""

    def __init__(self) -> None:
        self._objects: dict[str, JSON] = {}

    def add(self, kind: str, /, **fields: Any) -> JSON:
        """Keep a new object and return it. `id` and `created` are made where not given."""
        made: JSON = {"id": random_id(PREFIXES[kind]), "object": kind, "created": now(), **fields}
        if kind not in WITHOUT_LIVEMODE:
            made["livemode"] = False
        self._objects[made["id"]] = made
        return made

    def find(self, kind: str, key: str) -> JSON | None:
        """Return the object with this id, or None."""
        found = self._objects.get(key)
        return found if found is not None and found["object"] == kind else None

    def all(self, kind: str, **fields: Any) -> list[JSON]:
        """Return the objects whose fields are as given, newest first."""
        return [
            item
            for item in reversed(self._objects.values())
            if item["object"] == kind and all(item.get(name) == value for name, value in fields.items())
        ]

    def shown(self, item: JSON, expand: list[str]) -> JSON:
        """Return a copy of the object with the ids named by `expand` replaced by what they stand for.

        Raises CannotExpand.
        """
        result = copy.deepcopy(item)
        for path in expand:
            steps = path.split(".")
            if len(steps) > DEEPEST_EXPANSION:
                raise CannotExpand(f"You cannot expand more than {DEEPEST_EXPANSION} levels of a property. Property: {path}")
            self._expand(result, steps, path)
        return result

    def _expand(self, inside: JSON, steps: list[str], path: str) -> None:
        step, *deeper = steps
        if step not in inside:
            raise CannotExpand(f"This property cannot be expanded ({path}).")
        value = inside[step]
        if isinstance(value, str):
            found = self._objects.get(value)
            if found is None or step == "id":
                raise CannotExpand(f"This property cannot be expanded ({path}).")
            inside[step] = copy.deepcopy(found)
        if not deeper:
            return
        value = inside[step]
        for element in value if isinstance(value, list) else [value]:
            if isinstance(element, dict):
                self._expand(element, deeper, path)


def page(items: list[JSON], query: JSON, *, url: str, wanted: Callable[[JSON], bool] = lambda item: True) -> JSON:
    """Return one page of a list as Stripe does.

    Args:
        items: newest first.
        query: `limit`, `starting_after`, `ending_before` and `created` are heard.
        url: the list's address.
        wanted: which items are in the list at all.
    """
    items = [item for item in items if wanted(item) and _made_within(item["created"], query.get("created"))]
    keys = [item["id"] for item in items]
    limit: int = query.get("limit", 10)
    if "ending_before" in query:
        before = items[: keys.index(query["ending_before"])] if query["ending_before"] in keys else []
        return {"object": "list", "url": url, "has_more": len(before) > limit, "data": before[-limit:]}
    if "starting_after" in query:
        items = items[keys.index(query["starting_after"]) + 1 :] if query["starting_after"] in keys else []
    return {"object": "list", "url": url, "has_more": len(items) > limit, "data": items[:limit]}


def _made_within(created: int, limits: int | dict[str, int] | None) -> bool:
    if limits is None:
        return True
    if isinstance(limits, int):
        return created == limits
    return (
        created >= limits.get("gte", created)
        and created > limits.get("gt", created - 1)
        and created <= limits.get("lte", created)
        and created < limits.get("lt", created + 1)
    )
