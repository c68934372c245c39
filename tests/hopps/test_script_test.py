"""The command that runs these tests."""

import subprocess

import pytest

from tests.live import ROOT


@pytest.mark.parametrize("words", [["--database", "oracle"], ["--database=oracle"], ["--only-pytest", "--database"]])
def test_another_database_is_a_sentence_before_anything_is_installed(words: list[str]) -> None:
    said = subprocess.run(["script/test", *words], cwd=ROOT, capture_output=True, text=True, check=False)
    assert said.returncode == 1
    assert "takes sqlite, postgresql or mongodb" in said.stderr
