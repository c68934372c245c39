""".env.example has every setting there is, and filled in it starts Hopps for real."""

import ast
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from hopps import env
from tests.deploy.stack import (
    CI_ENV,
    ENV_EXAMPLE,
    ROOT,
    Compose,
    filled_in,
    in_the_image,
    of_continuous_integration,
    settings_in,
)

# Read by boto3, not by us (hopps/sms/sns.py reads AWS_REGION).
BOTO3 = {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}
READERS = {name for name, found in vars(env).items() if callable(found) and getattr(found, "__module__", "") == env.__name__}


def settings_of_the_code() -> set[str]:
    """Every name that the code reads from the environment through hopps.env, or os.environ."""
    names: set[str] = set()
    for app in ("hopps", "accounts", "billing", "sessions_app"):
        for path in (ROOT / app).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                match node:
                    case ast.Call(
                        func=ast.Attribute(value=ast.Name(id="env"), attr=reader),
                        args=[ast.Constant(value=str(name)), *_],
                    ) if reader in READERS:
                        names.add(name)
                    case ast.Call(
                        func=ast.Attribute(value=ast.Attribute(value=ast.Name(id="os"), attr="environ"), attr="get"),
                        args=[ast.Constant(value=str(name)), *_],
                    ):
                        names.add(name)
    return names


def settings_of_the_example() -> dict[str, str]:
    """Every name in .env.example, with the comment above it."""
    found: dict[str, str] = {}
    comment = ""
    for line in ENV_EXAMPLE.read_text().splitlines():
        if setting := re.match(r"(?:# )?([A-Z][A-Z0-9_]*)=", line):
            found[setting[1]] = comment
        elif line.startswith("#"):
            comment = line
        else:
            comment = ""
    return found


def test_every_setting_the_code_reads_is_in_the_file() -> None:
    missing = settings_of_the_code() - set(settings_of_the_example())

    assert not missing, f"Say in .env.example what these are: {sorted(missing)}"


def test_every_setting_the_stack_takes_is_in_the_file() -> None:
    taken = set(re.findall(r"\$\{([A-Z][A-Z0-9_]*)", (ROOT / "compose.yaml").read_text()))

    assert taken <= set(settings_of_the_example())


def test_every_setting_stands_under_a_sentence() -> None:
    assert [name for name, comment in settings_of_the_example().items() if not comment] == []


def test_no_secret_is_in_the_file() -> None:
    for line in ENV_EXAMPLE.read_text().splitlines():
        if name := re.match(r"([A-Z0-9_]*(?:SECRET|PASSWORD|TOKEN|KEY)[A-Z0-9_]*)=", line):
            assert line == name[0], line


def test_continuous_integration_fills_in_what_is_needed_and_nothing_else() -> None:
    assert [name for name, value in filled_in().items() if not value] == []
    assert set(settings_in(CI_ENV)) <= set(settings_in(ENV_EXAMPLE))


@pytest.mark.parametrize("settings", [filled_in, of_continuous_integration])
def test_filled_in_it_starts_hopps_in_production(
    compose: Compose, settings: Callable[[], dict[str, str]], tmp_path: Path
) -> None:
    compose.write_env(settings())
    environment = compose.config()["services"]["web-blue"]["environment"]
    # Of the checkout, only what the image holds; and no database is asked.
    image = tmp_path / "image"
    image.mkdir()
    for name in in_the_image():
        (image / name).symlink_to(ROOT / name)
    elsewhere = "postgresql://hopps:secret@db.example.org/hopps"
    mine = {"VAR_DIR": str(tmp_path), "DATABASE_URL": elsewhere, "PATH": os.environ["PATH"]}

    done = subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=image,
        env=environment | mine,
        check=False,
        capture_output=True,
        text=True,
    )

    assert done.returncode == 0, done.stderr
    assert environment["HOPPS_ENV"] == "production"


def test_what_is_not_filled_in_is_said(compose: Compose) -> None:
    for name in ("SITE_DOMAIN", "MONGODB_PASSWORD", "MONGODB_ROOT_PASSWORD", "REDIS_PASSWORD", "TURN_HOST", "TURN_SECRET"):
        compose.write_env(filled_in() | {name: ""})

        assert f"required variable {name} is missing a value" in compose.complaint()
