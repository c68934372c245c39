"""Files in a private bucket on Amazon S3, as a storage of Django's.

Five calls, and no more of S3 than that. django-storages would do it too; its last release is from April 2025, it does not
say that it knows this Django, and most of it is for public buckets.
"""

from datetime import datetime
from functools import cached_property
from os import environ
from typing import Any

from botocore.config import Config
from botocore.exceptions import ClientError
from django.core.files.base import ContentFile, File
from django.core.files.storage import Storage
from django.utils.deconstruct import deconstructible

# A person waits for each of these; what S3 does not take in that time they send again.
TIMEOUTS = Config(connect_timeout=5, read_timeout=20, retries={"total_max_attempts": 3, "mode": "standard"})
MISSING = {"404", "NoSuchKey", "NotFound"}


@deconstructible
class S3Uploads(Storage):
    """Objects of one bucket. Nobody gets an address of S3: what is in it goes through our own views."""

    def __init__(self, bucket_name: str) -> None:
        """Describe the bucket; it is asked for nothing yet. Key and region are read from where boto3 does."""
        self.bucket = bucket_name

    @cached_property
    def _s3(self) -> Any:
        import boto3  # late: half a second of libraries

        # boto3 knows the region by AWS_DEFAULT_REGION alone.
        return boto3.session.Session().client("s3", region_name=environ.get("AWS_REGION") or None, config=TIMEOUTS)

    def _open(self, name: str, mode: str = "rb") -> File[bytes]:
        try:
            answer = self._s3.get_object(Bucket=self.bucket, Key=name)
        except ClientError as problem:
            if problem.response["Error"]["Code"] in MISSING:
                raise FileNotFoundError(name) from None
            raise
        return ContentFile(answer["Body"].read(), name)

    def _save(self, name: str, content: File[Any]) -> str:
        content.seek(0)
        self._s3.put_object(Bucket=self.bucket, Key=name, Body=content.file, ContentType="application/octet-stream")
        return name

    def delete(self, name: str) -> None:
        """Delete the object; one that is not there is no error."""
        self._s3.delete_object(Bucket=self.bucket, Key=name)

    def get_available_name(self, name: str, max_length: int | None = None) -> str:
        """Return `name`: names are random here, and asking S3 whether one is taken would be a request more."""
        return name

    def exists(self, name: str) -> bool:
        """Return whether there is an object called `name`."""
        return self._head(name) is not None

    def get_modified_time(self, name: str) -> datetime:
        """Return when the object was stored (UTC). Raises FileNotFoundError."""
        head = self._head(name)
        if head is None:
            raise FileNotFoundError(name)
        modified: datetime = head["LastModified"]
        return modified

    def listdir(self, path: str) -> tuple[list[str], list[str]]:
        """Return the folders and the files directly in `path`, by their last part."""
        prefix = f"{path.strip('/')}/" if path.strip("/") else ""
        folders: list[str] = []
        files: list[str] = []
        for page in self._s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Delimiter="/", Prefix=prefix):
            folders += [entry["Prefix"][len(prefix) :].rstrip("/") for entry in page.get("CommonPrefixes", ())]
            files += [entry["Key"][len(prefix) :] for entry in page.get("Contents", ())]
        return folders, files

    def _head(self, name: str) -> dict[str, Any] | None:
        try:
            head: dict[str, Any] = self._s3.head_object(Bucket=self.bucket, Key=name)
        except ClientError as problem:
            if problem.response["Error"]["Code"] in MISSING:
                return None
            raise
        return head
