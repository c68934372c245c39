"""TypeScript declarations of everything that travels on the sockets, so that `tsc` checks the page against the server."""

import json
from typing import Any, get_args

from msgspec import inspect

from hopps.realtime.messages import Message

HEADER = "// Made by `manage.py typescript` from the event structs. Change those, not this.\n\n"

_SCALARS: dict[type[inspect.Type], str] = {
    inspect.StrType: "string",
    inspect.UUIDType: "string",
    # Travels in ISO 8601.
    inspect.DateTimeType: "string",
    inspect.IntType: "number",
    inspect.FloatType: "number",
    inspect.BoolType: "boolean",
    inspect.NoneType: "null",
    # JSON passed on as it came: whoever reads it must look first.
    inspect.RawType: "unknown",
    inspect.AnyType: "unknown",
}


def declarations(unions: dict[str, Any]) -> str:
    """Return a `.d.ts` module: an interface for each struct, and a union type for each entry of `unions`.

    Args:
        unions: a struct, or a union of structs such as `Opened | Closed`, by the name its TypeScript type is to have.

    Raises:
        TypeError: a field has a type that has no counterpart here.
    """
    interfaces: dict[str, str] = {}
    aliases = []
    for name, union in unions.items():
        members = [_typescript(inspect.type_info(struct), interfaces) for struct in get_args(union) or (union,)]
        aliases.append(f"export type {name} =\n  | " + "\n  | ".join(members) + ";\n")
    return HEADER + "\n".join([*(interfaces[name] for name in sorted(interfaces)), *aliases])


def _typescript(info: inspect.Type, interfaces: dict[str, str]) -> str:
    if isinstance(info, inspect.StructType):
        return _interface(info, interfaces)
    if isinstance(info, inspect.ListType | inspect.SetType | inspect.FrozenSetType | inspect.VarTupleType):
        return f"Array<{_typescript(info.item_type, interfaces)}>"
    if isinstance(info, inspect.DictType):
        return f"Record<string, {_typescript(info.value_type, interfaces)}>"
    if isinstance(info, inspect.UnionType):
        return " | ".join(_typescript(member, interfaces) for member in info.types)
    if isinstance(info, inspect.LiteralType):
        return " | ".join(json.dumps(value) for value in sorted(info.values, key=str))
    if isinstance(info, inspect.Metadata):
        return _typescript(info.type, interfaces)
    if isinstance(info, inspect.CustomType) and info.cls is object:
        return "unknown"
    if type(info) not in _SCALARS:
        raise TypeError(f"No TypeScript counterpart is known for {info}.")
    return _SCALARS[type(info)]


def _interface(info: inspect.StructType, interfaces: dict[str, str]) -> str:
    name = info.cls.__name__
    if name in interfaces:
        return name
    interfaces[name] = ""  # holds the place while fields that name it are read
    lines = [f"  {info.tag_field}: {json.dumps(info.tag)};"] if info.tag is not None else []
    for field in info.fields:
        # The page may leave out what has a default; the server always sends every field.
        optional = "?" if issubclass(info.cls, Message) and not field.required else ""
        lines.append(f"  {field.encode_name}{optional}: {_typescript(field.type, interfaces)};")
    interfaces[name] = f"export interface {name} {{\n" + "\n".join(lines) + "\n}\n"
    return name
