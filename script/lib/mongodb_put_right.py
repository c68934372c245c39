"""SecantusDB as MongoDB behaves: run by its own Python, with the arguments of its own command, it starts the server.

What Hopps asks for and SecantusDB 0.7.0b3 answers otherwise than MongoDB, or many times slower, is put right here: Hopps
knows nothing of it.
"""

import sys
from collections.abc import Callable, Mapping
from typing import Any

from secantus import aggregate, cli, commands

Command = Callable[[dict[str, Any], Any], dict[str, Any]]
Stage = Callable[[Any, list[dict[str, Any]], Any], list[dict[str, Any]]]


def nested_documents_are_paths(stage: Stage) -> Stage:
    """`{"topic": {"name": 1}}` means the field `topic.name`, beside the topic's others: no literal, and no new `topic`."""

    def flat(spec: Any, prefix: str = "") -> dict[str, Any]:
        paths: dict[str, Any] = {}
        for name, value in spec.items():
            if isinstance(value, Mapping) and value and not next(iter(value)).startswith("$"):
                paths |= flat(value, f"{prefix}{name}.")
            else:
                paths[prefix + name] = value
        return paths

    def put_right(spec: Any, docs: list[dict[str, Any]], context: Any) -> list[dict[str, Any]]:
        return stage(flat(spec) if isinstance(spec, Mapping) else spec, docs, context)

    return put_right


def joins_by_one_field_need_no_pipeline(stage: Stage) -> Stage:
    """`"pipeline": []` asks for nothing more: half the time of a join is saved."""

    def put_right(spec: Any, docs: list[dict[str, Any]], context: Any) -> list[dict[str, Any]]:
        if isinstance(spec, Mapping) and spec.get("pipeline") == [] and "localField" in spec:
            spec = {name: value for name, value in spec.items() if name != "pipeline"}
        return stage(spec, docs, context)

    return put_right


def conditions_come_before_joins(aggregate: Command) -> Command:
    """A condition on the documents themselves is looked at before others are joined to them: MongoDB's optimizer does so."""

    def put_right(command: dict[str, Any], context: Any) -> dict[str, Any]:
        pipeline = command.get("pipeline")
        if isinstance(pipeline, list):
            command = {**command, "pipeline": _conditions_first(pipeline)}
        return aggregate(command, context)

    return put_right


def _conditions_first(pipeline: list[Any]) -> list[Any]:
    made: set[str] = set()
    for place, stage in enumerate(pipeline):
        match stage:
            case {"$lookup": {"as": str(name)}}:
                made.add(name.partition(".")[0])
            case {"$set": dict(fields)}:
                made |= {name.partition(".")[0] for name in fields}
            case {"$unwind": str(path)} if path.removeprefix("$").partition(".")[0] in made:
                pass
            case {"$match": dict(condition)} if made:
                parts = condition["$and"] if list(condition) == ["$and"] else [{name: condition[name]} for name in condition]
                early = [part for part in parts if _can_be_asked_before(part, made)]
                late = [part for part in parts if not _can_be_asked_before(part, made)]
                conditions = [[{"$match": {"$and": some}}] if some else [] for some in (early, late)]
                return [*conditions[0], *pipeline[:place], *conditions[1], *pipeline[place + 1 :]]
            case _:
                return pipeline
    return pipeline


def _can_be_asked_before(condition: Any, made: set[str]) -> bool:
    """Whether a condition asks nothing of the fields `made` by joins."""
    if not isinstance(condition, Mapping):
        return False
    for name, wanted in condition.items():
        if name in {"$and", "$or", "$nor"}:
            if not all(_can_be_asked_before(part, made) for part in wanted):
                return False
        elif name.startswith("$") or name.partition(".")[0] in made:
            return False
    return True


if __name__ == "__main__":
    commands._HANDLERS["aggregate"] = conditions_come_before_joins(commands._HANDLERS["aggregate"])
    aggregate._STAGES["$lookup"] = joins_by_one_field_need_no_pipeline(aggregate._STAGES["$lookup"])
    for name in ("$project", "$addFields", "$set"):
        aggregate._STAGES[name] = nested_documents_are_paths(aggregate._STAGES[name])
    sys.exit(cli.main())
