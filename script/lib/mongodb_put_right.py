"""SecantusDB as MongoDB behaves: run by its own Python, with the arguments of its own command, it starts the server.

What Hopps asks for and SecantusDB 0.7.0b3 answers otherwise than MongoDB is put right here, one function each: Hopps itself
knows nothing of it.
"""

import sys
from collections.abc import Callable, Mapping
from typing import Any

from secantus import aggregate, cli

Stage = Callable[[Any, list[dict[str, Any]], Any], list[dict[str, Any]]]


def nested_documents_are_no_literals(stage: Stage) -> Stage:
    """`{"$project": {"topic": {"name": 1}}}` asks for the field `topic.name`, and not for the number 1."""

    def flat(spec: Any, prefix: str = "") -> dict[str, Any]:
        paths: dict[str, Any] = {}
        for name, value in spec.items():
            if isinstance(value, Mapping) and value and not next(iter(value)).startswith("$"):
                paths |= flat(value, f"{prefix}{name}.")
            else:
                paths[prefix + name] = value
        return paths

    def project(spec: Any, docs: list[dict[str, Any]], context: Any) -> list[dict[str, Any]]:
        return stage(flat(spec) if isinstance(spec, Mapping) else spec, docs, context)

    return project


if __name__ == "__main__":
    aggregate._STAGES["$project"] = nested_documents_are_no_literals(aggregate._STAGES["$project"])
    sys.exit(cli.main())
