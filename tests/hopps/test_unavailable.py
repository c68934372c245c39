"""While the database is away a page says so, with a status that others read as passing."""

from collections.abc import Callable

import pytest
from asgiref.sync import async_to_sync
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from django.test import AsyncClient, Client
from django.urls import path

from hopps.urls import handler500

__all__ = ["handler500", "urlpatterns"]

pytestmark = pytest.mark.urls(__name__)


def _fails_with(problem: Exception) -> Callable[[HttpRequest], HttpResponse]:
    def view(request: HttpRequest) -> HttpResponse:
        raise problem

    return view


urlpatterns = [
    path("away", _fails_with(OperationalError("nobody listens there"))),
    path("broken", _fails_with(ZeroDivisionError())),
]


def test_a_database_that_is_away_is_no_fault_of_the_page() -> None:
    answer = Client(raise_request_exception=False).get("/away")
    assert (answer.status_code, answer["Retry-After"]) == (503, "10")
    assert "Hopps cannot be reached just now" in answer.content.decode()
    assert "nobody listens there" not in answer.content.decode()


def test_the_page_looks_again_by_itself_and_sends_no_form_again() -> None:
    browser = Client(raise_request_exception=False)
    looked, sent = browser.get("/away"), browser.post("/away")
    assert looked["Refresh"] == "10"
    assert "looks again by itself" in looked.content.decode()
    assert sent.status_code == 503
    assert "Refresh" not in sent
    assert "by itself" not in sent.content.decode()


async def _ask(address: str) -> int:
    return int((await AsyncClient(raise_request_exception=False).get(address)).status_code)


def test_so_it_is_under_asgi() -> None:
    assert async_to_sync(_ask)("/away") == 503


def test_what_is_broken_is_broken() -> None:
    assert Client(raise_request_exception=False).get("/broken").status_code == 500
