"""A MongoDB-wire server for the tests: SecantusDB, installed by script/lib/environment.sh beside Hopps."""

import shutil
import tempfile
from pathlib import Path
from typing import Any

import pymongo
from pymongo.errors import PyMongoError

from script.lib.processes import HOST, OwnServer, ServerProcess, free_port

ROOT = Path(__file__).resolve().parents[2]
PYTHON = ROOT / ".peers/mongodb/bin/python"
# SecantusDB, with what it does differently from MongoDB put right.
PROGRAM = ROOT / "script/lib/mongodb_put_right.py"
# How long one question to it may take, in milliseconds.
ANSWER_MS = 2000


class MongoServer(OwnServer):
    """MongoDB on a free port of 127.0.0.1, with a folder of its own. Killed and started again, it keeps its address.

    It says of itself that it is a replica set of one.
    """

    def __init__(self, *, durable: bool = True) -> None:
        """Describe it; `start` starts it.

        Args:
            durable: an acknowledged write survives a power cut; without, tests are quicker, and a kill may lose writes.
        """
        self.folder = Path(tempfile.mkdtemp(prefix="hopps-mongodb-"))
        self._durable = durable
        self._listen_on(free_port())

    def _describe(self, port: int) -> ServerProcess:
        return ServerProcess(
            [
                *(str(PYTHON), "-P", str(PROGRAM)),
                *("--host", HOST, "--port", str(port)),
                *("--storage-path", str(self.folder / "data")),
                *("--log-level", "WARNING"),
                *(["--sync-on-commit"] if self._durable else []),
            ],
            url=self.url,
            log=self.folder / "mongodb.log",
            environment={},
            folder=self.folder,
            serves=self._answers,
        )

    @property
    def url(self) -> str:
        """The address of its database `hopps`."""
        return self.url_of("hopps")

    def url_of(self, name: str) -> str:
        """Return the address of the database `name`. MongoDB makes a database with the first write to it."""
        return f"mongodb://{HOST}:{self.port}/{name}{'?journal=true' if self._durable else ''}"

    def create(self, name: str) -> str:
        """Return the address of a database `name`, which is empty."""
        self.drop(name)
        return self.url_of(name)

    def drop(self, name: str) -> None:
        """Drop the database `name`, if there is one."""
        with self._client() as client:
            client.drop_database(name)

    def close(self) -> None:
        """End it, and remove its folder."""
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> "MongoServer":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _client(self) -> pymongo.MongoClient[dict[str, Any]]:
        return pymongo.MongoClient(HOST, self.port, serverSelectionTimeoutMS=ANSWER_MS, directConnection=True)

    def _answers(self) -> bool:
        try:
            with self._client() as client:
                client.admin.command("ping")
        except PyMongoError:
            return False
        return True
