"""Compressed, then encrypted, as a stream: zstd inside of age, which other tools open too (decision 0026)."""

import hashlib
import os
import sys
import tarfile
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from io import BufferedIOBase
from pathlib import Path
from typing import IO, Any, cast

import pyrage
import zstandard
from pyrage import x25519

from hopps.backups.errors import BackupError

# Of zstd's 1 to 22: beyond this it takes much longer for little.
LEVEL = 6
NO_KEY = "BACKUP_KEY is no key: `manage.py backup --new-key` makes one."


def new_key() -> str:
    """Return a new key: what BACKUP_KEY wants. Who has it can read every backup made with it; without it nobody can."""
    return str(x25519.Identity.generate())


def problem_with(key: str) -> str | None:
    """Return what is wrong with a key, as a sentence; None where it is one."""
    try:
        x25519.Identity.from_str(key)
    except pyrage.IdentityError:
        return NO_KEY
    return None


def name_of_key(key: str) -> str:
    """Return a short name for a key, which anybody may read. Raises BackupError where it is none."""
    return hashlib.sha256(str(_identity(key).to_public()).encode()).hexdigest()[:12]


def development_key(folder: Path) -> str:
    """Return the key kept in `folder`, made the first time; several that start at once agree on one."""
    path = folder / "development-backup-key"
    if not path.exists():
        with tempfile.NamedTemporaryFile("w", dir=folder) as made:
            made.write(new_key())
            made.flush()
            # All of it at once, by whoever is first.
            with suppress(FileExistsError):
                os.link(made.name, path)
    return path.read_text()


@contextmanager
def sealing(out: IO[bytes], key: str) -> Iterator[IO[bytes]]:
    """Open a stream for writing whose bytes go to `out`, compressed and encrypted; all are there when the block ends.

    Raises BackupError where `key` is none, or `out` does not take them.
    """
    recipient = _identity(key).to_public()
    compressor = zstandard.ZstdCompressor(level=LEVEL, write_checksum=True)
    with (
        _piped(lambda reader: pyrage.encrypt_io(reader, cast("BufferedIOBase", out), [recipient])) as writer,
        compressor.stream_writer(writer, closefd=False) as compressed,
    ):
        yield compressed


@contextmanager
def opening(stream: IO[bytes], key: str, name: str) -> Iterator[IO[bytes]]:
    """Open a sealed stream for reading.

    Args:
        stream: what `sealing` wrote.
        key: the same key.
        name: what it is called, for the sentences.

    Raises:
        BackupError: it was made with another key, is damaged, was cut short, or is no backup at all. Cut short is found at
            its end: what was read before must not be used until the block has ended.
    """
    identity = _identity(key)
    read_end, write_end = os.pipe()
    problems: list[BaseException] = []
    stopped = threading.Event()

    def decrypt() -> None:
        try:
            with os.fdopen(write_end, "wb") as writer:
                pyrage.decrypt_io(cast("BufferedIOBase", stream), writer, [identity])
        except BaseException as problem:
            # Where nobody reads any more, it is no wonder that writing fails.
            if not stopped.is_set():
                problems.append(problem)

    worker = threading.Thread(target=decrypt, name="opening a backup")
    worker.start()
    try:
        with os.fdopen(read_end, "rb") as reader:
            try:
                with zstandard.ZstdDecompressor().stream_reader(reader, closefd=False) as plain:
                    yield plain
                # To the end, where it shows whether all was there.
                while reader.read(1 << 20):
                    pass
            except BaseException:
                # What is cut short makes trouble where it is read: the thread says why. It may be about to.
                if not isinstance(sys.exception(), zstandard.ZstdError | tarfile.TarError | EOFError):
                    stopped.set()
                raise
    except (zstandard.ZstdError, tarfile.TarError, EOFError) as problem:
        worker.join()
        problems.append(problem)
    finally:
        worker.join()
    if problems:
        raise BackupError(_words(problems[0], name)) from problems[0]


@contextmanager
def _piped(work: Callable[[Any], object]) -> Iterator[IO[bytes]]:
    """Open a stream for writing that `work`, in a thread of its own, reads."""
    read_end, write_end = os.pipe()
    problems: list[BaseException] = []

    def run() -> None:
        try:
            with os.fdopen(read_end, "rb") as reader:
                work(reader)
        except BaseException as problem:
            problems.append(problem)

    worker = threading.Thread(target=run, name="sealing a backup")
    worker.start()
    try:
        with os.fdopen(write_end, "wb") as writer:
            yield writer
    except BrokenPipeError:
        worker.join()
        # What the thread had against it is the reason, not that it stopped reading.
        if not problems:
            raise
    finally:
        worker.join()
    if problems:
        # age's words for what the other end had against it.
        raise BackupError(f"It could not be written: {problems[0]}") from problems[0]


def _identity(key: str) -> x25519.Identity:
    if problem := problem_with(key):
        raise BackupError(problem)
    return x25519.Identity.from_str(key)


def _words(problem: BaseException, name: str) -> str:
    if isinstance(problem, pyrage.DecryptError):
        if "key" in str(problem).lower():
            return f"{name} was made with another BACKUP_KEY."
        return f"{name} is no backup of Hopps, or its beginning is damaged."
    return f"{name} is damaged, or was cut short: nothing of it is used."
