"""What this process writes to its database, as it does: SQLite's and PostgreSQL's statements, MongoDB's commands."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pymongo.monitoring
from django.db import connection

Heard = Callable[[str, str], None]

_STATEMENTS = re.compile(r'(INSERT INTO|UPDATE|DELETE FROM) "(\w+)"')
_COMMANDS = {"insert": "INSERT INTO", "update": "UPDATE", "delete": "DELETE FROM", "findAndModify": "UPDATE"}


@contextmanager
def watched_writes(*, before: Heard, after: Heard) -> Iterator[None]:
    """Tell of each write that is made meanwhile, as ("UPDATE", "billing_hold").

    Args:
        before: told just before the database is asked. A BaseException of it is raised where the write was made.
        after: told when the database has answered.
    """
    if connection.vendor == "mongodb":
        watcher = (before, after)
        _commands.watchers.append(watcher)
        try:
            yield
        finally:
            _commands.watchers.remove(watcher)
        return

    def around(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        write = _STATEMENTS.match(sql)
        if write is None:
            return execute(sql, params, many, context)
        before(write[1], write[2])
        result = execute(sql, params, many, context)
        after(write[1], write[2])
        return result

    with connection.execute_wrapper(around):
        yield


class _Commands(pymongo.monitoring.CommandListener):
    """Hears MongoDB's driver."""

    def __init__(self) -> None:
        self.watchers: list[tuple[Heard, Heard]] = []
        # The driver tells what was written to at the beginning only.
        self._under_way: dict[int, tuple[str, str]] = {}

    def started(self, event: pymongo.monitoring.CommandStartedEvent) -> None:
        if event.command_name not in _COMMANDS or event.database_name != connection.settings_dict["NAME"]:
            return
        write = _COMMANDS[event.command_name], str(event.command[event.command_name])
        self._under_way[event.request_id] = write
        for before, _ in self.watchers:
            before(*write)

    def succeeded(self, event: pymongo.monitoring.CommandSucceededEvent) -> None:
        if (write := self._under_way.pop(event.request_id, None)) is not None:
            for _, after in self.watchers:
                after(*write)

    def failed(self, event: pymongo.monitoring.CommandFailedEvent) -> None:
        self._under_way.pop(event.request_id, None)


_commands = _Commands()
if connection.vendor == "mongodb":
    # Before Django makes its client, which would never hear of it.
    pymongo.monitoring.register(_commands)
