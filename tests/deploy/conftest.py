"""What the tests of script/deploy share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deploy.host import Host
from tests.deploy.stack import Compose


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    """A new machine: .env is filled in, nothing was deployed."""
    host = Host(tmp_path)
    yield host
    host.close()


@pytest.fixture
def serving(host: Host) -> Host:
    """A host that release one serves on."""
    host.had("one")
    return host


@pytest.fixture
def compose(tmp_path: Path) -> Compose:
    """Our stack with .env.example filled in."""
    folder = tmp_path / "stack"
    folder.mkdir()
    return Compose(folder)
