"""TypeScript declarations of everything that travels on the sockets, so that `tsc` checks the page against the server."""

from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec import inspect

HEADER = "// Made by `manage.py typescript` from the event structs. Change those, not this.\n\n"

_SCALARS: dict[type[inspect.Type], str] = {
    inspect.StrType: "string",
    inspect.UUIDType: "string",
    inspect.DateTimeType: "string",
    inspect.IntType: "number",
    inspect.FloatType: "number",
    inspect.BoolType: "boolean",
    inspect.NoneType: "null",
    inspect.AnyType: "unknown",
}


def declarations(unions: dict[str, Iterable[type[msgspec.Struct]]]) -> str:
    """Return a `.d.ts` module: an interface for each struct, and a union type for each entry of `unions`."""
    interfaces: dict[str, str] = {}
    aliases = []
    for name, structs in unions.items():
        members = [_typescript(inspect.type_info(struct), interfaces) for struct in structs]
        aliases.append(f"export type {name} =\n  | " + "\n  | ".join(members) + ";\n")
    return HEADER + "\n".join([*(interfaces[name] for name in sorted(interfaces)), *aliases])


def _typescript(info: inspect.Type, interfaces: dict[str, str]) -> str:
    if isinstance(info, inspect.StructType):
        return _interface(info, interfaces)
    if isinstance(info, inspect.ListType | inspect.SetType | inspect.VarTupleType):
        return f"Array<{_typescript(info.item_type, interfaces)}>"
    if isinstance(info, inspect.DictType):
        return f"Record<string, {_typescript(info.value_type, interfaces)}>"
    if isinstance(info, inspect.UnionType):
        return " | ".join(_typescript(member, interfaces) for member in info.types)
    if isinstance(info, inspect.LiteralType):
        return " | ".join(f'"{value}"' for value in info.values)
    if isinstance(info, inspect.Metadata):
        return _typescript(info.type, interfaces)
    return _SCALARS[type(info)]


def _interface(info: inspect.StructType, interfaces: dict[str, str]) -> str:
    name = info.cls.__name__
    if name in interfaces:
        return name
    interfaces[name] = ""  # holds the place while fields that name it are read
    lines = [f'  type: "{info.tag}";'] if info.tag is not None else []
    for field in info.fields:
        optional = "" if field.required else "?"
        lines.append(f"  {field.encode_name}{optional}: {_typescript(_plain(field.type), interfaces)};")
    interfaces[name] = f"export interface {name} {{\n" + "\n".join(lines) + "\n}\n"
    return name


def _plain(info: Any) -> inspect.Type:
    kind: inspect.Type = info
    return kind
