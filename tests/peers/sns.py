"""Amazon SNS for the tests: moto's own server, a process on loopback, behind a front that makes the faults moto does not."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from script.lib.processes import HOST, DidNotStart, ServerProcess, free_port
from tests.peers.faults import Front, opener
from tests.peers.openapi import PEERS

ROOT = Path(__file__).resolve().parents[2]
MOTO = PEERS / "moto" / "bin" / "python"
PORTS_TRIED = 3
# moto's rule for who opted out.
OPTED_OUT = "+43664123499"


class SnsStandIn:
    """moto, and the front before it."""

    def __init__(self, folder: Path) -> None:
        """Start both. Raises DidNotStart."""
        self._moto, self._moto_url = start_moto(folder / "moto.log")
        self.front = Front(self._moto_url)
        self.url = self.front.url

    @property
    def environment(self) -> dict[str, str]:
        """What boto3 needs to use it."""
        return {
            "AWS_ENDPOINT_URL_SNS": self.url,
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_REGION": "eu-central-1",
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def texts(self) -> list[tuple[str, str]]:
        """Return the texts it took: number and words, oldest first."""
        with opener.open(f"{self._moto_url}/moto-api/data.json", timeout=30) as answer:
            data: dict[str, Any] = json.load(answer)
        return [(text["phone_number"], text["message"]) for text in data.get("sns", {}).get("SMS", ())]

    def last_attributes(self) -> dict[str, tuple[str, str]]:
        """Return the attributes of the last text: kind and value by name. moto keeps none."""
        published = [asked.body for asked in self.front.asked if "Action=Publish" in asked.body]
        form = dict(parse_qsl(published[-1]))
        entry = "MessageAttributes.entry"
        numbers = [key.split(".")[2] for key in form if key.startswith(f"{entry}.") and key.endswith(".Name")]
        return {
            form[f"{entry}.{number}.Name"]: (
                form[f"{entry}.{number}.Value.DataType"],
                form[f"{entry}.{number}.Value.StringValue"],
            )
            for number in numbers
        }

    def reset(self) -> None:
        """Forget all."""
        self.front.forget_faults()
        self.front.asked.clear()
        with opener.open(f"{self._moto_url}/moto-api/reset", b"", timeout=30):
            pass

    def fail(self, action: str, code: str, *, status: int, message: str = "", times: int = 1) -> None:
        """Answer the next requests for `action` ("Publish") with an error, such as "Throttled" with status 429."""
        error = (
            f"<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>"
            "<RequestId>1</RequestId></ErrorResponse>"
        )
        self.front.fail(f"Action={action}", status, error.encode(), times=times, kind="text/xml")

    def log_tail(self) -> str:
        """Return the end of what moto said."""
        return self._moto.log_tail()

    def stop(self) -> None:
        """End both."""
        self.front.stop()
        self._moto.stop()


def start_moto(log: Path) -> tuple[ServerProcess, str]:
    """Start moto; return it and its address. Raises DidNotStart."""
    problem: DidNotStart | None = None
    for _ in range(PORTS_TRIED):
        port = free_port()
        url = f"http://{HOST}:{port}"
        moto = ServerProcess(
            [str(MOTO), "-m", "moto.server", "-H", HOST, "-p", str(port)],
            url=f"{url}/moto-api/data.json",
            log=log,
            environment={},
            folder=ROOT,
        )
        try:
            moto.start()
        except DidNotStart as caught:  # somebody else may have taken the port between finding and using it
            problem = caught
        else:
            return moto, url
    assert problem is not None
    raise problem
