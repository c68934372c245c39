"""The relay as `compose.yaml` starts it: whom it lets in, and where it refuses to relay to."""

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from hopps.turn import mint
from script.lib.processes import HOST
from tests.live import ROOT
from tests.peers.coturn import SECRET, Coturn

START = ROOT / "docker/coturn/start.sh"


@pytest.fixture(scope="module")
def relay(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Coturn]:
    coturn = Coturn(tmp_path_factory.mktemp("coturn"), start=START, also="::1")
    coturn.start()
    yield coturn
    coturn.kill()


def ask(relay: Coturn, *, expires_in: int, secret: str = SECRET, peer: str = HOST) -> str:
    """Return what coturn's own client says of being relayed to `peer` with a credential of ours, until it sends."""
    # Each time somebody else: what one may have at a time is limited.
    credential = mint(secret=secret, holder=f"room.{uuid4()}", expires_at=int(time.time()) + expires_in)
    login = ["-u", credential.username, "-w", credential.password]
    family = ["-x"] if ":" in peer else []  # relayed from an IPv6 address
    said = ""
    with subprocess.Popen(
        ["turnutils_uclient", "-v", "-n", "1", "-m", "1", *login, *family, "-p", str(relay.port), "-e", peer, HOST],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as client:
        assert client.stdout is not None
        for line in client.stdout:
            said += line
            if "start_mclient" in line:
                break
        client.kill()
    return said


V4 = [HOST, "0.1.2.3", "10.1.2.3", "169.254.169.254", "172.20.0.1", "192.168.0.1", "0.0.0.0"]  # noqa: S104  a peer
V6 = ["::", "::1", "fd00::1", "fe80::1", "64:ff9b::a01:203", f"::ffff:{HOST}", "::ffff:10.1.2.3"]


@pytest.mark.parametrize("peer", [*V4, *V6])
def test_it_takes_our_credential_and_relays_to_nobody_behind_it(relay: Coturn, peer: str) -> None:
    said = ask(relay, expires_in=60, peer=peer)
    assert "Received relay addr" in said
    assert "403 (Forbidden IP)" in said


@pytest.mark.parametrize("peer", ["203.0.113.9", "2001:db8::9"])
def test_it_relays_to_everybody_else(relay: Coturn, peer: str) -> None:
    said = ask(relay, expires_in=60, peer=peer)
    assert "start_mclient" in said
    assert "403 (Forbidden IP)" not in said


@pytest.mark.parametrize(("expires_in", "secret"), [(-60, SECRET), (60, "south")])
def test_it_refuses_one_that_ran_out_or_was_made_with_another_secret(relay: Coturn, expires_in: int, secret: str) -> None:
    said = ask(relay, expires_in=expires_in, secret=secret)
    assert "Received relay addr" not in said
    assert "401" in said or "Cannot complete Allocation" in said


def test_behind_a_public_address_it_gives_that_one_out(tmp_path: Path) -> None:
    coturn = Coturn(tmp_path, start=START, external=f"203.0.113.7/{HOST}")
    coturn.start()
    try:
        assert "Received relay addr: 203.0.113.7:" in ask(coturn, expires_in=60, peer="10.1.2.3")
    finally:
        coturn.kill()
