"""Whom a form of ours leads to another site leaves by a page in between; programs, and ways within the site, go straight."""

import pytest
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.test import Client
from django.urls import path

from hopps.urls import handler500

__all__ = ["handler500", "urlpatterns"]

pytestmark = [pytest.mark.urls(__name__), pytest.mark.django_db]
BROWSER = "text/html,application/xhtml+xml,*/*;q=0.8"
BANK = 'https://bank.example/acs?a=1&b="2"'


def leave(request: HttpRequest) -> HttpResponse:
    answer = HttpResponseRedirect(request.GET["to"])
    answer.set_cookie("kept", "yes")
    return answer


urlpatterns = [path("leave/", leave)]


def test_a_browser_gets_a_page_that_goes_on_by_itself_and_names_the_site() -> None:
    answer = Client().post(f"/leave/?to={BANK.replace('&', '%26')}", headers={"Accept": BROWSER})
    page = answer.content.decode()
    assert answer.status_code == 200
    assert '<meta http-equiv="refresh" content="0;url=https://bank.example/acs?a=1&amp;b=%222%22">' in page
    assert 'href="https://bank.example/acs?a=1&amp;b=%222%22">Go on to bank.example</a>' in page
    assert answer.cookies["kept"].value == "yes"


@pytest.mark.parametrize("address", ["/billing/", "https://testserver/billing/", "?x=1"])
def test_within_the_site_there_is_no_page_in_between(address: str) -> None:
    answer = Client().post("/leave/", headers={"Accept": BROWSER}, query_params={"to": address})
    assert (answer.status_code, answer["Location"]) == (302, address)


def test_a_program_gets_the_redirect() -> None:
    assert Client().post("/leave/", query_params={"to": BANK}).status_code == 302
