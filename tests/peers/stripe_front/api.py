"""One request to the API: checked, answered once per idempotency key, and struck by the faults a test ordered."""

import hashlib
import json
import re
import traceback
from collections.abc import Mapping
from dataclasses import dataclass

from tests.peers.openapi_answers import check_answer
from tests.peers.stripe_front import checkout, connect, customers, disputes, events_api, intents_api, refunds
from tests.peers.stripe_front.books import JSON, CannotExpand, random_id
from tests.peers.stripe_front.errors import StripeError, refused
from tests.peers.stripe_front.faults import Fault
from tests.peers.stripe_front.idempotency import Answer
from tests.peers.stripe_front.world import Handlers, World
from tests.peers.stripe_spec import Checked, SpecError

HANDLERS: Handlers = {
    **checkout.HANDLERS,
    **connect.HANDLERS,
    **customers.HANDLERS,
    **disputes.HANDLERS,
    **events_api.HANDLERS,
    **intents_api.HANDLERS,
    **refunds.HANDLERS,
}
SECRET_KEY = re.compile(r"Bearer sk_test_\w+")

LONGEST_KEY = 255


class Dropped(Exception):
    """The connection is to be cut instead of answered."""


@dataclass(frozen=True)
class Asked:
    """A request as it came."""

    method: str
    path: str
    query: str
    body: str
    headers: Mapping[str, str]

    @property
    def key(self) -> str | None:
        """Its idempotency key; Stripe hears it with POST only."""
        return self.headers.get("Idempotency-Key") if self.method == "POST" else None


def answer(world: World, asked: Asked) -> tuple[Answer, bool]:
    """Answer a request; say too whether the answer is the one kept from before. Raises Dropped."""
    request_id = random_id("req_")
    line: JSON = {"method": asked.method, "path": asked.path, "idempotency_key": asked.key, "request_id": request_id}
    with world.lock:
        world.requests.append(line)
    try:
        kept, replayed = _answer(world, asked, request_id, line)
    except StripeError as problem:
        kept, replayed = Answer(problem.status, json.dumps(problem.body).encode(), request_id), False
    except (ArithmeticError, AssertionError, LookupError, TypeError, ValueError) as problem:
        traceback.print_exc()
        world.mistaken(f"{asked.method} {asked.path}: {problem!r}")
        error = {"type": "api_error", "message": f"The stand-in's mistake: {problem!r}"}
        kept, replayed = Answer(500, json.dumps({"error": error}).encode(), request_id), False
    with world.lock:
        line.update(status=kept.status, replayed=replayed)
    return kept, replayed


def _answer(world: World, asked: Asked, request_id: str, line: JSON) -> tuple[Answer, bool]:
    checked = _check(world, asked)
    with world.lock:
        line.update(operation=checked.operation, parameters=checked.body or checked.query)
    if asked.key is None:
        return _struck(world, asked, checked, request_id), False
    # The form in one order: the SDK may write the same parameters in another.
    text = "\n".join((asked.method, asked.path, *sorted(asked.body.split("&"))))
    kept = world.keys.begin(asked.key, hashlib.sha256(text.encode()).hexdigest())
    if kept is not None:
        if world.faults.take(asked.method, asked.path, kinds=("drop_before", "drop_after")) is not None:
            raise Dropped  # a bad network loses a repeated answer too
        return kept, True
    return _struck(world, asked, checked, request_id), False


def _check(world: World, asked: Asked) -> Checked:
    if not SECRET_KEY.fullmatch(asked.headers.get("Authorization", "")):
        raise StripeError(401, "invalid_request_error", "Invalid API Key provided.")
    try:
        if len(asked.key or "") > LONGEST_KEY:
            raise SpecError(f"{asked.method} {asked.path}: the idempotency key is longer than {LONGEST_KEY} characters.")
        version = asked.headers.get("Stripe-Version", world.spec.version)
        if version != world.spec.version:
            raise SpecError(f"{asked.method} {asked.path}: it is for version {version}, not {world.spec.version}.")
        checked = world.spec.check(asked.method, asked.path, asked.query, asked.body)
        if checked.operation not in HANDLERS:
            raise SpecError(f"{checked.operation}: the stand-in does not have this operation.")
    except SpecError as problem:
        world.violations.append(str(problem))
        raise refused(str(problem), code="parameter_unknown") from None
    return checked


def _struck(world: World, asked: Asked, checked: Checked, request_id: str) -> Answer:
    """Answer, with what a fault makes of it, and keep the answer under the key."""
    faults = world.faults
    fault = faults.take(asked.method, asked.path)
    if fault is not None and fault.kind in ("answer", "drop_before"):
        return _undone(world, asked, fault, request_id)
    if fault is not None and fault.kind == "hang":
        faults.released.wait(fault.seconds)
        if faults.stopped:
            raise Dropped
    try:
        done = _done(world, asked, checked, request_id)
    except BaseException:
        if asked.key is not None:
            world.keys.give_up(asked.key)
        raise
    if asked.key is not None:
        world.keys.keep(asked.key, done)
    if fault is not None and fault.kind == "drop_after":
        raise Dropped
    return done


def _undone(world: World, asked: Asked, fault: Fault, request_id: str) -> Answer:
    error = fault.error or {"type": "api_error", "message": "Something went wrong on Stripe's end."}
    failed = Answer(fault.status, json.dumps({"error": error}).encode(), request_id)
    if asked.key is not None:
        if fault.kept:
            world.keys.keep(asked.key, failed)
        else:
            world.keys.give_up(asked.key)
    if fault.kind == "drop_before":
        raise Dropped
    return failed


def _done(world: World, asked: Asked, checked: Checked, request_id: str) -> Answer:
    expand = checked.body.get("expand") or checked.query.get("expand") or []
    with world.lock:
        world.request = {"id": request_id, "idempotency_key": asked.key}
        try:
            status, result = 200, HANDLERS[checked.operation](world, checked)
            result = world.books.shown(result, expand)
            world.check(check_answer, checked.operation, result)
        except CannotExpand as problem:
            failed = refused(str(problem), param="expand")
            status, result = failed.status, failed.body
        except StripeError as problem:
            status, result = problem.status, problem.body
        finally:
            world.request = None
    return Answer(status, json.dumps(result, indent=2).encode(), request_id)
