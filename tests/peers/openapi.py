"""Checks requests against a provider's own OpenAPI description, so that a misspelt parameter fails here, not in production.

The descriptions are put in `.peers/` by `ensure_peers` in script/lib/environment.sh.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast
from urllib.parse import parse_qsl

PEERS = Path(__file__).resolve().parents[2] / ".peers"

Schema = Mapping[str, Any]
# What a form says before its types are known: texts, and texts by name.
Form = dict[str, "str | Form"]

METHODS = ("get", "post", "put", "patch", "delete")

_NAMED = re.compile(r"\{([^}]+)\}")
_KEY = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)")
_PART = re.compile(r"\[([^\[\]]*)\]")
_INTEGER = re.compile(r"-?\d+")
_NUMBER = re.compile(r"-?\d+(\.\d+)?")


class SpecError(Exception):
    """A request that the description does not allow. The message says what is wrong, and where."""


@dataclass(frozen=True)
class Operation:
    """One method of one path, as described."""

    method: str
    path: str
    pattern: re.Pattern[str]
    names: Schema
    query: Schema
    body: Schema


@dataclass(frozen=True)
class Checked:
    """A request that passed: which operation it is, and its parameters in the types the description gives them."""

    operation: str
    """Such as "POST /v1/payment_intents/{intent}/capture"."""
    names: dict[str, str] = field(default_factory=dict)
    """The path's own parameters, such as {"intent": "pi_1"}."""
    query: dict[str, Any] = field(default_factory=dict)
    body: dict[str, Any] = field(default_factory=dict)


class Spec:
    """An API as described."""

    def __init__(self, name: str, described: Schema) -> None:
        self.name = name
        self.version: str = described["info"]["version"]
        self.schemas: Mapping[str, Schema] = described["components"]["schemas"]
        self.answers: dict[str, Schema] = {}
        """What each operation answers, by its name ("GET /v1/refunds")."""
        self._operations: dict[tuple[str, int], list[Operation]] = {}
        for path, methods in described["paths"].items():
            for method, operation in methods.items():
                if method in METHODS:
                    self._add(method.upper(), path, operation)
        for operations in self._operations.values():
            # /v1/charges/search before /v1/charges/{charge}
            operations.sort(key=lambda operation: operation.path.count("{"))

    def _add(self, method: str, path: str, described: Schema) -> None:
        query, names = (self._parameters(described, place) for place in ("query", "path"))
        form = described.get("requestBody", {}).get("content", {}).get("application/x-www-form-urlencoded", {})
        # Texts and names in turn: "/Messages/", "Sid", ".json".
        parts = [re.escape(part) if number % 2 == 0 else "([^/]+)" for number, part in enumerate(_NAMED.split(path))]
        operation = Operation(
            method, path, re.compile("".join(parts)), names, query, self._resolved(form.get("schema", {"type": "object"}))
        )
        self._operations.setdefault((method, path.count("/")), []).append(operation)
        right: Schema = next((answer for status, answer in described["responses"].items() if status.startswith("2")), {})
        answers = right.get("content", {})
        self.answers[f"{method} {path}"] = answers.get("application/json", {}).get("schema", {})

    def _parameters(self, described: Schema, place: str) -> Schema:
        parameters = [parameter for parameter in described.get("parameters", ()) if parameter["in"] == place]
        return {
            "type": "object",
            "properties": {parameter["name"]: self._resolved(parameter["schema"]) for parameter in parameters},
            "required": [parameter["name"] for parameter in parameters if parameter.get("required")],
        }

    def _resolved(self, schema: Schema) -> Schema:
        """Return a form's schema with what its parameters refer to by name put in its place."""
        if "$ref" in schema:
            return self.schemas[schema["$ref"].rsplit("/", 1)[1]]
        if "properties" not in schema:
            return schema
        return {**schema, "properties": {key: self._resolved(inner) for key, inner in schema["properties"].items()}}

    def check(self, method: str, path: str, query: str = "", body: str = "") -> Checked:
        """Check one form-encoded request.

        Args:
            method: such as "POST".
            path: such as "/v1/refunds".
            query: what stands after the question mark, encoded.
            body: the form, encoded.

        Raises SpecError for an unknown path, an unknown, repeated, missing or malformed parameter, and a wrong value.
        """
        operation, names = self._find(method, path)
        where = f"{method} {operation.path}"
        try:
            return Checked(
                operation=where,
                names=cast(dict[str, str], _typed(cast(Form, names), operation.names, "")),
                query=cast(dict[str, Any], _typed(read_form(query), operation.query, "")),
                body=cast(dict[str, Any], _typed(read_form(body), operation.body, "")),
            )
        except SpecError as problem:
            raise SpecError(f"{where}: {problem}") from None

    def _find(self, method: str, path: str) -> tuple[Operation, dict[str, str]]:
        for operation in self._operations.get((method, path.count("/")), ()):
            matched = operation.pattern.fullmatch(path)
            if matched is not None:
                return operation, dict(zip(_NAMED.findall(operation.path), matched.groups(), strict=True))
        raise SpecError(f"{method} {path}: {self.name} {self.version} has no such operation.")


def read_form(encoded: str) -> Form:
    """Read `a=1&b[c]=2&d[0]=3`; lists become {"0": …}. Raises SpecError for malformed or repeated keys."""
    form: Form = {}
    for key, value in parse_qsl(encoded, keep_blank_values=True):
        whole = _KEY.fullmatch(key)
        if whole is None:
            raise SpecError(f"the key {key!r} is malformed.")
        inside = form
        *before, last = [whole[1], *_PART.findall(whole[2])]
        for part in before:
            deeper = inside.setdefault(part, {})
            if isinstance(deeper, str):
                raise SpecError(f"{key!r} is given as a text and as more than that.")
            inside = deeper
        last = last or str(len(inside))
        if last in inside:
            raise SpecError(f"{key!r} is given twice.")
        inside[last] = value
    return form


def _typed(value: "str | Form", schema: Schema, name: str) -> object:
    """Return the value in the type the schema gives it. Raises SpecError."""
    if "anyOf" in schema:
        return _any_of(value, schema["anyOf"], name)
    kind = schema.get("type")
    if kind == "object":
        return _object(value, schema, name)
    if kind == "array":
        return _array(value, schema, name)
    if isinstance(value, dict):
        raise SpecError(f"{name} takes {_article(kind)}, not {_shown(value)}.")
    return _scalar(value, schema, name)


def _object(value: "str | Form", schema: Schema, name: str) -> dict[str, object]:
    if isinstance(value, str):
        raise SpecError(f"{name} takes an object, not {value!r}.")
    properties: Mapping[str, Schema] = schema.get("properties", {})
    # Objects are closed, unless the description opens them (metadata).
    others = schema.get("additionalProperties")
    typed: dict[str, object] = {}
    for key, inner in value.items():
        place = f"{name}[{key}]" if name else key
        if key in properties:
            typed[key] = _typed(inner, properties[key], place)
        elif isinstance(others, Mapping):
            typed[key] = _typed(inner, others, place)
        else:
            raise SpecError(f"the parameter {place} is unknown.")
    for key in schema.get("required", ()):
        if key not in value:
            raise SpecError(f"the parameter {f'{name}[{key}]' if name else key} is missing.")
    return typed


def _array(value: "str | Form", schema: Schema, name: str) -> list[object]:
    if isinstance(value, str):
        raise SpecError(f"{name} takes a list, not {value!r}.")
    if sorted(value, key=lambda key: (len(key), key)) != [str(index) for index in range(len(value))]:
        raise SpecError(f"{name} takes a list numbered from 0, not the keys {', '.join(value)}.")
    return [_typed(value[str(index)], schema["items"], f"{name}[{index}]") for index in range(len(value))]


def _scalar(value: str, schema: Schema, name: str) -> object:
    kind = schema.get("type")
    if kind == "integer" and _INTEGER.fullmatch(value):
        return int(value)
    if kind == "number" and _NUMBER.fullmatch(value):
        return float(value)
    if kind == "boolean" and value in ("true", "false"):
        return value == "true"
    if kind in ("integer", "number", "boolean"):
        raise SpecError(f"{name} takes {_article(kind)}, not {value!r}.")
    if "enum" in schema and value not in schema["enum"]:
        raise SpecError(f"{name} takes one of {', '.join(map(repr, schema['enum']))}, not {value!r}.")
    if len(value) > schema.get("maxLength", len(value)):
        raise SpecError(f"{name} is longer than {schema['maxLength']} characters.")
    if "pattern" in schema and not re.search(schema["pattern"], value):
        raise SpecError(f"{name} takes what looks like {schema['pattern']}, not {value!r}.")
    if schema.get("format") == "decimal" and not _NUMBER.fullmatch(value):
        raise SpecError(f"{name} takes a decimal number, not {value!r}.")
    return value


def _any_of(value: "str | Form", choices: Iterable[Schema], name: str) -> object:
    problems: list[str] = []
    for schema in choices:
        try:
            return _typed(value, schema, name)
        except SpecError as problem:
            # A choice of the same shape says what is wrong inside it; the others only that they have another shape.
            same_shape = isinstance(value, dict) == (schema.get("type") in ("object", "array"))
            problems.insert(0 if same_shape and schema.get("enum") != [""] else len(problems), str(problem))
    raise SpecError(problems[0])


def _article(kind: str | None) -> str:
    return f"an {kind}" if kind in ("integer", "object", "array") else f"a {kind}"


def _shown(form: Form) -> str:
    return "{" + ", ".join(form) + "}"
