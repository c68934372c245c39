"""What is installed is what was locked, to the byte."""

import shutil
from pathlib import Path

import pytest

from script.lib.locks import LISTS, problems
from tests.live import ROOT


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder with our lists and locks."""
    (tmp_path / "tests/peers").mkdir(parents=True)
    for name in LISTS:
        for path in (Path(name), Path(name).with_suffix(".lock")):
            shutil.copy(ROOT / path, tmp_path / path)
    return tmp_path


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def test_our_lists_and_locks_agree() -> None:
    assert problems(ROOT) == []


def test_a_list_that_was_changed_alone_is_said(checkout: Path) -> None:
    change(checkout / "requirements.txt", "Django==", "Django==1")
    change(checkout / "requirements-dev.txt", "ruff==", "another-package==1.0  #")

    found = problems(checkout)

    assert any("requirements.txt wants django 1" in sentence for sentence in found)
    assert "requirements-dev.txt wants another-package 1.0, and requirements-dev.lock has none." in found


def test_a_package_without_a_checksum_is_said(checkout: Path) -> None:
    lock = checkout / "tests/peers/stripe-spec.lock"
    lock.write_text(lock.read_text().partition(" \\\n")[0] + "\n")

    assert [sentence for sentence in problems(checkout) if "no checksum" in sentence] == [
        f"stripe-spec.lock has no checksum of {lock.read_text().split()[0]}."
    ]


def test_what_runs_is_tested_in_the_same_version(checkout: Path) -> None:
    change(checkout / "requirements.lock", "\nurllib3==", "\nurllib3==9.")

    assert any(sentence.startswith("requirements.lock has urllib3 9.") for sentence in problems(checkout))


def test_a_lock_that_is_missing_is_said(checkout: Path) -> None:
    (checkout / "requirements.lock").unlink()

    assert "requirements.lock is missing." in problems(checkout)


@pytest.mark.parametrize("name", LISTS)
def test_no_lock_says_where_packages_came_from(name: str) -> None:
    assert "://" not in (ROOT / name).with_suffix(".lock").read_text()
