"""A form in another encoding than UTF-8 gets a sentence, and not an error of ours."""

import pytest

from tests.fuzz.asgi import Browser
from tests.people import alice

__all__ = ["alice"]


@pytest.mark.django_db
@pytest.mark.parametrize("charset", ["utf-16", "latin-1", "nonsense", '"'])
def test_a_form_in_another_encoding_is_refused_in_a_sentence(charset: str) -> None:
    answer = Browser(None).send("POST", "/ask/", kind=f"application/x-www-form-urlencoded; charset={charset}", body=b"a=b")
    assert (answer.status, answer.body) == (415, b"A form must be sent in UTF-8.")


@pytest.mark.django_db
@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded; charset=UTF-8", "multipart/form-data; boundary=x", ""])
def test_what_our_pages_send_is_not(kind: str) -> None:
    assert Browser(None).send("POST", "/ask/", kind=kind, body=b"").status != 415
