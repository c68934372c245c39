"""MongoDB: by its driver, in one snapshot where the server has them. The files are those of mongodump (decision 0027)."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pymongo
from bson import decode_file_iter, json_util
from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from django.db import connections
from pymongo.errors import ConfigurationError, OperationFailure, PyMongoError

from hopps.backups.errors import BackupError
from hopps.backups.kinds import Dumped, left_behind, name_aside
from hopps.rows.facts import facts_of
from hopps.rows.opened import opened_as

RAW: CodecOptions[RawBSONDocument] = CodecOptions(document_class=RawBSONDocument)
BATCH = 500
# So often it is tried to find a moment at which nobody writes, where there are no snapshots.
TRIES = 3
RESTORING = "restoring."


class Mongodb:
    """A database of a server or a replica set."""

    def dump(self, using: str, folder: Path) -> Dumped:
        """Dump every collection, its indexes, and the counters of keys.

        A replica set shows one moment for as long as it takes. A single server shows one if nobody writes meanwhile: it is
        looked at before and after, three times at most, and which tables were still written to is said.
        """
        connection: Any = connections[using]
        connection.ensure_connection()
        with pymongo.timeout(None), _told(), _snapshot(connection) as session:
            return _dump_still(connection, session, using, folder)

    @contextmanager
    def aside(self, using: str, folder: Path) -> Iterator[str]:
        """Restore into another database of the same server."""
        live = connections[using].settings_dict
        name = name_aside(live["NAME"])
        _tidy(using)
        with pymongo.timeout(None), opened_as(live | {"NAME": name}) as aside:
            try:
                with _told():
                    _restore_collections(_database(aside), folder)
                yield aside
            finally:
                # Not the database at once, for which many are not let: it goes with its last collection.
                for left in _collections(_database(aside)):
                    _database(aside).drop_collection(left)

    def switch(self, using: str, aside: str, folder: Path) -> None:
        """Load everything once more, beside what is there, and then let each collection take the place of the old one."""
        database = _database(using)
        with pymongo.timeout(None), _told():
            for left_behind in _collections(database, restoring=True):
                database.drop_collection(left_behind)
            _restore_collections(database, folder, prefix=RESTORING)
            _let_take_their_places(database)


@contextmanager
def _snapshot(connection: Any) -> Iterator[Any]:
    """Give a session that reads one moment, or None where the server has no such thing: one that is no replica set."""
    with connection.connection.start_session(snapshot=True) as session:
        try:
            connection.database["django_migrations"].find_one(session=session)
        except (OperationFailure, ConfigurationError):
            session = None
        yield session


def _dump_still(connection: Any, session: Any, using: str, folder: Path) -> Dumped:
    # What Django reads, it reads in the connection's session.
    connection.session = session
    try:
        before = facts_of(using)
        for _ in range(TRIES):
            _dump_collections(connection.database, folder, session)
            after = facts_of(using)
            if after == before:
                return Dumped(after)
            moving = tuple(label for label, table in after.tables.items() if before.tables.get(label) != table)
            before = after
    finally:
        connection.session = None
    return Dumped(after, moving)


def _database(using: str) -> Any:
    connection: Any = connections[using]
    return connection.database


def _tidy(using: str) -> None:
    """Drop what proofs that were killed left. A user who may not see other databases sees none."""
    connection: Any = connections[using]
    connection.ensure_connection()
    with suppress(OperationFailure):
        for left in left_behind(connection.settings_dict["NAME"], connection.connection.list_database_names()):
            connection.connection.drop_database(left)


def _collections(database: Any, *, restoring: bool = False) -> list[str]:
    names = database.list_collection_names(filter={"type": "collection"})
    return sorted(name for name in names if not name.startswith("system.") and name.startswith(RESTORING) == restoring)


def _dump_collections(database: Any, folder: Path, session: Any) -> None:
    for name in _collections(database):
        collection = database.get_collection(name, codec_options=RAW)
        with (folder / f"{name}.bson").open("wb") as out:
            for document in collection.find(session=session, sort=[("_id", 1)]):
                out.write(document.raw)
        about = {"indexes": list(database[name].list_indexes()), "options": database[name].options(), "collectionName": name}
        (folder / f"{name}.metadata.json").write_text(json_util.dumps(about, json_options=json_util.CANONICAL_JSON_OPTIONS))


def _let_take_their_places(database: Any) -> None:
    restored = _collections(database, restoring=True)
    try:
        for name in restored:
            database[name].rename(name.removeprefix(RESTORING), dropTarget=True)
        for name in set(_collections(database)) - {name.removeprefix(RESTORING) for name in restored}:
            database.drop_collection(name)
    except PyMongoError as problem:
        raise BackupError(f"Some tables are replaced, and some may not be: restore it once more. ({problem})") from problem


def _restore_collections(database: Any, folder: Path, prefix: str = "") -> None:
    for path in sorted(folder.glob("*.metadata.json")):
        about = json_util.loads(path.read_text(), json_options=json_util.CANONICAL_JSON_OPTIONS)
        name = about["collectionName"]
        collection = database.create_collection(prefix + name, **about["options"]).with_options(codec_options=RAW)
        with (folder / f"{name}.bson").open("rb") as stream:
            batch: list[RawBSONDocument] = []
            for document in decode_file_iter(stream, RAW):
                batch.append(document)
                if len(batch) == BATCH:
                    collection.insert_many(batch)
                    batch = []
            if batch:
                collection.insert_many(batch)
        # Unique ones too: what breaks them shows here, before anything is replaced.
        for index in about["indexes"]:
            keys = list(index.pop("key").items())
            if keys != [("_id", 1)]:
                index.pop("v", None)
                index.pop("ns", None)
                collection.create_index(keys, **index)


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except PyMongoError as problem:
        raise BackupError(f"MongoDB refused: {problem}") from problem
