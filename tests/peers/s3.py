"""Amazon S3 for the tests: moto's own server, a process on loopback, with one private bucket."""

from pathlib import Path
from typing import Any

import boto3

from tests.peers.faults import opener
from tests.peers.sns import start_moto

BUCKET = "hopps-uploads"
REGION = "eu-central-1"


class S3StandIn:
    """moto, and what a test wants to see of the bucket."""

    def __init__(self, folder: Path) -> None:
        """Start it, empty. Raises DidNotStart."""
        self._moto, self.url = start_moto(folder / "moto.log")

    @property
    def environment(self) -> dict[str, str]:
        """What boto3 needs to use it."""
        return {
            "AWS_ENDPOINT_URL_S3": self.url,
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def reset(self) -> None:
        """Forget all, and make the bucket."""
        with opener.open(f"{self.url}/moto-api/reset", b"", timeout=30):
            pass
        self.client().create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})

    def client(self) -> Any:
        """Return boto3's own client for it."""
        keys = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}
        return boto3.session.Session().client("s3", endpoint_url=self.url, region_name=REGION, **keys)

    def objects(self) -> dict[str, bytes]:
        """Return what is in the bucket, by name."""
        client = self.client()
        listed = client.list_objects_v2(Bucket=BUCKET).get("Contents", ())
        return {entry["Key"]: client.get_object(Bucket=BUCKET, Key=entry["Key"])["Body"].read() for entry in listed}

    def log_tail(self) -> str:
        """Return the end of what moto said."""
        return self._moto.log_tail()

    def stop(self) -> None:
        """End it."""
        self._moto.stop()
