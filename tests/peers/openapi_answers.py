"""Checks a stand-in's own answers and events against the provider's description: fields made up, forgotten or mistyped."""

from collections.abc import Mapping
from typing import Any

from tests.peers.openapi import Schema, Spec, SpecError

KINDS: Mapping[str, type | tuple[type, ...]] = {
    "array": list,
    "boolean": bool,
    "integer": int,
    "number": (int, float),
    "object": dict,
    "string": str,
}


def check_answer(spec: Spec, operation: str, answer: Mapping[str, Any]) -> None:
    """Check what an operation answered with success. Raises SpecError."""
    try:
        _check(spec, answer, spec.answers[operation], "the answer")
    except SpecError as problem:
        raise SpecError(f"{operation}: {problem}") from None


def check_object(spec: Spec, item: Mapping[str, Any]) -> None:
    """Check one of Stripe's objects, by what it says it is. Raises SpecError."""
    try:
        _check(spec, item, spec.schemas[item["object"]], item["object"])
    except SpecError as problem:
        raise SpecError(f"{item['object']}: {problem}") from None


def _check(spec: Spec, value: object, schema: Schema, name: str) -> None:
    nullable = schema.get("nullable", False)
    if "$ref" in schema:
        schema = spec.schemas[schema["$ref"].rsplit("/", 1)[1]]
    if value is None and (nullable or schema.get("nullable")):
        return
    if "anyOf" in schema:
        _check_any(spec, value, schema["anyOf"], name)
        return
    kind = schema.get("type")
    if kind is not None and (not isinstance(value, KINDS[kind]) or (isinstance(value, bool) and kind != "boolean")):
        raise SpecError(f"{name} is {value!r:.60}, no {kind}.")
    if "enum" in schema and value not in schema["enum"]:
        raise SpecError(f"{name} is {value!r}, none of {', '.join(map(repr, schema['enum']))}.")
    if isinstance(value, list):
        for index, item in enumerate(value):
            _check(spec, item, schema["items"], f"{name}[{index}]")
    if isinstance(value, dict):
        _check_fields(spec, value, schema, name)


def _check_any(spec: Spec, value: object, choices: list[Schema], name: str) -> None:
    problems: list[SpecError] = []
    for choice in choices:
        try:
            _check(spec, value, choice, name)
        except SpecError as problem:
            problems.append(problem)
        else:
            return
    # The object that was expanded says more than "no string".
    raise problems[1 if isinstance(value, dict) and len(problems) > 1 else 0]


def _check_fields(spec: Spec, value: dict[str, Any], schema: Schema, name: str) -> None:
    properties: Mapping[str, Schema] = schema.get("properties", {})
    others = schema.get("additionalProperties")
    for field, inner in value.items():
        if field in properties:
            _check(spec, inner, properties[field], f"{name}.{field}")
        elif isinstance(others, Mapping):
            _check(spec, inner, others, f"{name}.{field}")
        elif properties:
            raise SpecError(f"{name}.{field} is a field {spec.name} does not have.")
    for field in schema.get("required", ()):
        if field not in value:
            raise SpecError(f"{name}.{field} is missing.")
