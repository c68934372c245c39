"""What the tests of script/deploy share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deploy.host import Host


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
