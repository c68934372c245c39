"""DATABASE_URL of a MongoDB: what holds unless it says otherwise, and what it may not give up."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from hopps.mongodb.address import settings_of


def test_writes_are_kept_and_nobody_waits_for_ever() -> None:
    made = settings_of("mongodb://db.example.org/hopps")
    assert (made["ENGINE"], made["NAME"], made["HOST"]) == ("hopps.mongodb", "hopps", "mongodb://db.example.org/hopps")
    assert made["OPTIONS"] == {"w": "majority", "journal": True, "timeoutMS": 15_000, "connectTimeoutMS": 5_000}


def test_what_the_address_says_holds() -> None:
    address = "mongodb://hopps:p%40ss@one.example.org,two.example.org:27018/hopps?replicaSet=rs0&timeoutMS=900&w=3&tls=true"
    assert settings_of(address)["OPTIONS"] == {"journal": True, "connectTimeoutMS": 5_000}


def test_servers_behind_one_name_are_not_asked_for_while_settings_are_read() -> None:
    assert settings_of("mongodb+srv://cluster0.example.invalid/hopps")["NAME"] == "hopps"


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("mongodb://db.example.org", "names no database: end the address with one, such as /hopps"),
        ("mongodb://db.example.org/?w=majority", "names no database"),
        ("mongodb://db.example.org:many/hopps", "is no address such as mongodb://user:password@host:27017/hopps"),
        ("mongodb://a:b@c@db.example.org/hopps", "must be escaped"),
        ("mongodb://db.example.org/hopps?w=0", "lose what people were told is done"),
        ("mongodb://db.example.org/hopps?journal=false", "lose what people were told is done"),
        ("mongodb://db.example.org/hopps?readPreference=secondaryPreferred", "readPreference must be primary"),
    ],
)
def test_an_address_that_does_not_do_is_refused_in_one_sentence(address: str, sentence: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=sentence):
        settings_of(address)


def test_no_password_is_told() -> None:
    with pytest.raises(ImproperlyConfigured) as told:
        settings_of("mongodb://hopps:s3cret@db.example.org:many/hopps")
    assert "s3cret" not in str(told.value)
