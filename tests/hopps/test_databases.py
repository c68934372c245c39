"""What DATABASE_URL may say, and what becomes of it."""

from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from hopps.databases import settings_of


def read(address: str) -> dict[str, Any]:
    return settings_of(address, connections=7)


def test_sqlite_is_a_file() -> None:
    made = read("sqlite:////var/lib/hopps/hopps.sqlite3")
    assert (made["ENGINE"], made["NAME"]) == ("django.db.backends.sqlite3", "/var/lib/hopps/hopps.sqlite3")


@pytest.mark.parametrize("scheme", ["postgresql", "postgres"])
def test_postgresql_has_a_pool_and_nobody_waits_for_ever(scheme: str) -> None:
    made = read(f"{scheme}://hopps:s%3Acret@db.example.org:5433/shop?sslmode=require")
    assert made["ENGINE"] == "django.db.backends.postgresql"
    assert [made[part] for part in ("USER", "PASSWORD", "HOST", "PORT", "NAME")] == [
        "hopps", "s:cret", "db.example.org", 5433, "shop",
    ]  # fmt: skip
    options = made["OPTIONS"]
    assert options["sslmode"] == "require"
    assert options["pool"] == {"min_size": 0, "max_size": 7, "timeout": 10}
    for limit in ("statement_timeout=60000", "lock_timeout=10000", "idle_in_transaction_session_timeout=60000"):
        assert limit in options["options"]


def test_an_address_may_set_other_limits() -> None:
    made = read("postgresql://hopps@db/shop?options=-c%20statement_timeout%3D0&connect_timeout=3")
    assert made["OPTIONS"]["options"] == "-c statement_timeout=0"
    assert made["OPTIONS"]["connect_timeout"] == 3


def test_mongodb_is_read_by_its_own_driver() -> None:
    made = read("mongodb://hopps:hunter2@one,two:27018/shop?replicaSet=rs0")
    assert (made["ENGINE"], made["NAME"]) == ("hopps.mongodb", "shop")
    assert made["OPTIONS"]["maxPoolSize"] == 7


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("", "must begin with sqlite, postgresql or mongodb"),
        ("hopps.sqlite3", "must begin with sqlite, postgresql or mongodb"),
        ("mysql://hopps:hunter2@db/shop", "must begin with sqlite, postgresql or mongodb"),
        ("postgresql://hopps:hunter2@db:port/shop", "cannot be read"),
        ("postgresql://hopps:hunter2@[db/shop", "cannot be read"),
        ("postgresql://hopps:hunter2@db", "names no database"),
        ("postgresql://hopps:hunter2@db/", "names no database"),
        ("mongodb://hopps:hunter2@db", "names no database"),
        ("mongodb://", "DATABASE_URL"),
    ],
)
def test_what_is_no_address_is_a_sentence_without_the_password(address: str, sentence: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=sentence) as refusal:
        read(address)
    assert "hunter2" not in str(refusal.value)
