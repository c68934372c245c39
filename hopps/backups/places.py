"""Where backups are kept: a folder, or a bucket on S3. What is written there is there in full, or not at all."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import IO, Any, Protocol
from urllib.parse import urlsplit

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings

from hopps.backups.errors import BackupError
from hopps.s3 import MISSING

# Nobody waits for these as for a page, and parts of a large archive take their time.
PATIENCE = Config(connect_timeout=10, read_timeout=120, retries={"total_max_attempts": 5, "mode": "standard"})
UNFINISHED = ".unfinished"
# What is unfinished for so long was left by a process that died.
LEFT_BEHIND = timedelta(days=2)


@dataclass(frozen=True)
class Kept:
    """Something in a place: its name, its bytes, and when it was written (UTC)."""

    name: str
    size: int
    written_at: datetime


class Place(Protocol):
    """A place for backups."""

    address: str

    def writing(self, name: str) -> AbstractContextManager[IO[bytes]]:
        """Open something to be written. It is there when the block ends, and is not when the block fails."""

    def reading(self, name: str) -> AbstractContextManager[IO[bytes]]:
        """Open something to be read. Raises FileNotFoundError."""

    def list(self, prefix: str = "") -> Iterator[Kept]:
        """Yield everything whose name begins with `prefix`."""

    def delete(self, name: str) -> None:
        """Delete something; what is not there is no error."""

    def tidy(self, now: datetime) -> None:
        """Delete what processes that died left unfinished."""


def place_at(address: str) -> Place:
    """Return the place `address` names: a folder's path, or s3://bucket/prefix. Raises BackupError when it is none."""
    if not address:
        raise BackupError("BACKUP_TO is not set: name a folder, or s3://bucket/prefix.")
    if not address.startswith("s3:"):
        return Folder(Path(address))
    parts = urlsplit(address)
    if not address.startswith("s3://") or not parts.netloc:
        raise BackupError(f"BACKUP_TO must be a folder or s3://bucket/prefix, not {address!r}.")
    return Bucket(parts.netloc, parts.path.strip("/"))


class Folder:
    """A folder of this machine, better of another disk."""

    def __init__(self, path: Path) -> None:
        """Describe it; it is made when something is written."""
        self.path = path
        self.address = str(path)

    @contextmanager
    def writing(self, name: str) -> Iterator[IO[bytes]]:
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        # A name of its own: two that write the same thing do not write into each other.
        descriptor, unfinished = tempfile.mkstemp(dir=path.parent, suffix=UNFINISHED)
        try:
            with os.fdopen(descriptor, "wb") as out:
                yield out
                out.flush()
                os.fsync(out.fileno())
            Path(unfinished).replace(path)
        except BaseException:
            Path(unfinished).unlink(missing_ok=True)
            raise
        _fsync_folder(path.parent)

    @contextmanager
    def reading(self, name: str) -> Iterator[IO[bytes]]:
        with (self.path / name).open("rb") as stream:
            yield stream

    def list(self, prefix: str = "") -> Iterator[Kept]:
        for path in sorted(self.path.rglob("*")) if self.path.is_dir() else ():
            name = path.relative_to(self.path).as_posix()
            if path.is_file() and name.startswith(prefix) and path.suffix != UNFINISHED:
                status = path.stat()
                yield Kept(name, status.st_size, datetime.fromtimestamp(status.st_mtime, UTC))

    def delete(self, name: str) -> None:
        (self.path / name).unlink(missing_ok=True)

    def tidy(self, now: datetime) -> None:
        for path in self.path.rglob(f"*{UNFINISHED}"):
            if datetime.fromtimestamp(path.stat().st_mtime, UTC) < now - LEFT_BEHIND:
                path.unlink(missing_ok=True)


class Bucket:
    """A bucket on S3, or a part of one. Key and region are read from where boto3 does."""

    def __init__(self, bucket: str, prefix: str) -> None:
        """Describe it; nobody is asked for anything yet."""
        self.bucket = bucket
        self.prefix = f"{prefix}/" if prefix else ""
        self.address = f"s3://{bucket}/{prefix}"

    @cached_property
    def _s3(self) -> Any:
        import boto3  # late: half a second of libraries

        return boto3.session.Session().client("s3", region_name=os.environ.get("AWS_REGION") or None, config=PATIENCE)

    @contextmanager
    def writing(self, name: str) -> Iterator[IO[bytes]]:
        # S3 reads what it is given: first onto this disk, then there, in parts. The object is there when all parts are.
        # Where there is room: /tmp may be memory.
        with tempfile.TemporaryFile(dir=settings.VAR_DIR) as out:
            yield out
            out.seek(0)
            with _told(self.address):
                self._s3.upload_fileobj(out, self.bucket, self.prefix + name)

    @contextmanager
    def reading(self, name: str) -> Iterator[IO[bytes]]:
        with _told(self.address):
            try:
                answer = self._s3.get_object(Bucket=self.bucket, Key=self.prefix + name)
            except ClientError as problem:
                if problem.response["Error"]["Code"] in MISSING:
                    raise FileNotFoundError(name) from None
                raise
        with answer["Body"] as stream:
            yield stream

    def list(self, prefix: str = "") -> Iterator[Kept]:
        with _told(self.address):
            pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=self.prefix + prefix)
            found = [entry for page in pages for entry in page.get("Contents", ())]
        for entry in found:
            yield Kept(entry["Key"].removeprefix(self.prefix), entry["Size"], entry["LastModified"])

    def delete(self, name: str) -> None:
        with _told(self.address):
            self._s3.delete_object(Bucket=self.bucket, Key=self.prefix + name)

    def tidy(self, now: datetime) -> None:
        with _told(self.address):
            pages = self._s3.get_paginator("list_multipart_uploads").paginate(Bucket=self.bucket, Prefix=self.prefix)
            for upload in [entry for page in pages for entry in page.get("Uploads", ())]:
                if upload["Initiated"] < now - LEFT_BEHIND:
                    self._s3.abort_multipart_upload(Bucket=self.bucket, Key=upload["Key"], UploadId=upload["UploadId"])


@contextmanager
def _told(address: str) -> Iterator[None]:
    """Say in one sentence what S3 has against it."""
    try:
        yield
    except (ClientError, BotoCoreError) as problem:
        raise BackupError(f"{address}: {problem}") from problem


def _fsync_folder(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
