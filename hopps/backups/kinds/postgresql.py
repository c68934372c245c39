"""PostgreSQL: pg_dump, with the very snapshot that the rows are counted in."""

import logging
import re
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connections, transaction
from django.db.backends.postgresql.client import DatabaseClient

from hopps.backups.errors import BackupError
from hopps.backups.kinds import Dumped, left_behind, name_aside
from hopps.rows.facts import facts_of
from hopps.rows.opened import opened_as, shut

logger = logging.getLogger(__name__)

FILE = "postgresql.dump"
# Where Debian's packages put the programs of each version.
DEBIANS = "/usr/lib/postgresql"


class Postgresql:
    """A database of a server, and the client programs of at least the server's version."""

    def dump(self, using: str, folder: Path) -> Dumped:
        """Dump it as of one moment; nobody waits for it."""
        with transaction.atomic(using=using), connections[using].cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            # As long as it takes: the limits are for pages.
            cursor.execute("SET LOCAL statement_timeout = 0")
            cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
            cursor.execute("SELECT pg_export_snapshot()")
            snapshot = cursor.fetchone()[0]
            # Not compressed: that is done to the whole archive.
            options = ("--format=custom", "--compress=0", f"--snapshot={snapshot}", f"--file={folder / FILE}")
            _run("pg_dump", using, *options)
            return Dumped(facts_of(using))

    @contextmanager
    def aside(self, using: str, folder: Path) -> Iterator[str]:
        """Restore into a new database of the same server."""
        live = connections[using].settings_dict["NAME"]
        name = name_aside(live)
        for left in left_behind(live, _names(using)):
            _say(using, f"DROP DATABASE IF EXISTS {_quoted(using, left)} WITH (FORCE)")
        _say(using, f"CREATE DATABASE {_quoted(using, name)} TEMPLATE template0 {_encoding_and_locale(using)}")
        try:
            with opened_as(connections[using].settings_dict | {"NAME": name}) as aside:
                _run("pg_restore", aside, "--no-owner", "--no-privileges", "--exit-on-error", str(folder / FILE))
                yield aside
        finally:
            # After a switch it has another name, and stays.
            _say(using, f"DROP DATABASE IF EXISTS {_quoted(using, name)} WITH (FORCE)")

    def switch(self, using: str, aside: str, folder: Path) -> None:
        """Let the two change names, both or neither, and drop the old one."""
        live, restored = connections[using].settings_dict["NAME"], connections[aside].settings_dict["NAME"]
        old = f"{live}_replaced_{secrets.token_hex(4)}"
        shut(aside)
        shut(using)
        try:
            # Said at once, they are one transaction: killed in between, the database in use still has its name.
            _say(
                using,
                f"ALTER DATABASE {_quoted(using, live)} RENAME TO {_quoted(using, old)};"
                f"ALTER DATABASE {_quoted(using, restored)} RENAME TO {_quoted(using, live)}",
            )
        except BackupError as problem:
            raise BackupError(f"Others are connected to {live}. Stop web and worker first. ({problem})") from problem
        try:
            _say(using, f"DROP DATABASE {_quoted(using, old)}")
        except BackupError as problem:
            # The restored one is in use by now.
            logger.warning("%s, which was replaced, is still there: drop it. %s", old, problem)


def _names(using: str) -> list[str]:
    with connections[using].cursor() as cursor:
        cursor.execute("SELECT datname FROM pg_database")
        return [name for (name,) in cursor.fetchall()]


def _encoding_and_locale(using: str) -> str:
    """Return those of the database that is restored, for the one that may take its place: the server's may be others."""
    with connections[using].cursor() as cursor:
        cursor.execute(
            "SELECT format('ENCODING %%L LC_COLLATE %%L LC_CTYPE %%L', pg_encoding_to_char(encoding), datcollate, datctype) "
            "FROM pg_database WHERE datname = %s",
            [connections[using].settings_dict["NAME"]],
        )
        return str(cursor.fetchone()[0])


def _say(using: str, statement: str) -> None:
    """Say something to the server that is not said from within the database it is about."""
    try:
        with connections[using]._nodb_cursor() as cursor:
            # Dropping one waits for the server's disk; the limits are for pages.
            cursor.execute("SET statement_timeout = 0")
            cursor.execute(statement)
    except DatabaseError as problem:
        raise BackupError(f"PostgreSQL refused: {problem}") from problem


def _quoted(using: str, name: str) -> str:
    return str(connections[using].ops.quote_name(name))


def _run(program: str, using: str, *arguments: str) -> None:
    """Run one of PostgreSQL's programs on a database. Raises BackupError with what it said."""
    words, environment = DatabaseClient.settings_to_cmd_args_env(_plain(connections[using].settings_dict), [])
    database = words.pop()
    path = _program(program, connections[using].pg_version // 10000)  # type: ignore[attr-defined]  # PostgreSQL's has it
    done = subprocess.run(
        [path, *words[1:], f"--dbname={database}", "--no-password", *arguments],
        env={"PATH": "/usr/bin:/bin", "LC_ALL": "C", **(environment or {})},
        check=False,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise BackupError(f"{program} failed: {done.stderr.strip()}")


def _plain(database: dict[str, Any]) -> dict[str, Any]:
    """Return the settings with what the programs know of the options; limits and pools are for pages."""
    options = {name: value for name, value in database.get("OPTIONS", {}).items() if name.startswith("ssl")}
    return database | {"OPTIONS": options}


def _program(program: str, server: int) -> str:
    """Return the path of a program that is new enough for the server's major version. Raises BackupError without one."""
    if settings.POSTGRESQL_BIN:
        candidates = [Path(settings.POSTGRESQL_BIN) / program]
    else:
        on_path = shutil.which(program)
        candidates = [Path(on_path)] if on_path else []
        candidates += sorted(Path(DEBIANS).glob(f"*/bin/{program}"), reverse=True)
    found = {path: _version(path) for path in candidates if path.exists()}
    for path, version in found.items():
        if version >= server:
            return str(path)
    have = f"only version {max(found.values())} was found" if found else "none was found"
    raise BackupError(
        f"The server is PostgreSQL {server}: {program} of at least that version is needed, and {have}. "
        f"Install postgresql-client-{server}, or set POSTGRESQL_BIN to the folder it is in."
    )


def _version(path: Path) -> int:
    said = subprocess.run([path, "--version"], check=True, capture_output=True, text=True).stdout
    found = re.search(r"\d+", said.partition(")")[2])
    return int(found.group()) if found else 0
