"""A site to back up, its files, and a place for the backups."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import Settings

from hopps.backups.make import WORK
from hopps.backups.places import Folder
from script.lib.postgresql import BIN, PACKAGE
from tests.hopps.conftest import Open, ThreeKinds


@pytest.fixture
def place(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "backups")


@pytest.fixture
def uploads(site: Path, tmp_path: Path, settings: Settings) -> Iterator[Path]:
    """The site's files, in a folder of this test's own; and a folder for what is dumped."""
    folder = tmp_path / "uploads"
    shutil.copytree(site / "uploads", folder)
    settings.VAR_DIR = tmp_path
    # Of the version of the tests' server, or newer than another's.
    settings.POSTGRESQL_BIN = str(PACKAGE / BIN)
    settings.STORAGES = settings.STORAGES | {
        "uploads": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": folder}}
    }
    yield folder
    assert list(tmp_path.glob(f"{WORK}*")) == []


@pytest.fixture
def using(site: Path, three_kinds: ThreeKinds, open_database: Open, uploads: Path) -> str:
    """The site on SQLite, where the kind makes no difference."""
    return open_database(three_kinds.with_site("sqlite", site))
