"""How structs look on the wire."""

import json

import msgspec
import pytest

from hopps.realtime.messages import Error, Ping, Sync, encode
from tests.hopps.pages import Say


def test_an_event_names_its_type() -> None:
    assert json.loads(encode(Error(message="No.“"))) == {"type": "error", "message": "No.“"}


def test_a_struct_of_two_words_travels_in_snake_case() -> None:
    class TwoWords(Sync):
        """Has a name of two words."""

    assert msgspec.json.encode(TwoWords()) == b'{"type":"two_words"}'


def test_a_misspelt_field_is_noticed() -> None:
    with pytest.raises(msgspec.ValidationError, match="unknown field `word`"):
        msgspec.json.decode(b'{"type": "say", "words": "x", "word": "x"}', type=Say | Ping)
