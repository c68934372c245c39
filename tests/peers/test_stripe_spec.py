"""The checker bites, and lets through what the real SDK makes of good calls."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
import stripe

from tests.peers.stripe_spec import Checked, SpecError, load_spec


def check(path: str, method: str = "POST", query: str = "", **body: str) -> Checked:
    return load_spec().check(method, path, query, urlencode(body))


def test_the_spec_is_of_the_version_the_sdk_speaks() -> None:
    assert load_spec().version == stripe.api_version


def test_good_parameters_come_back_in_their_types() -> None:
    checked = load_spec().check(
        "POST",
        "/v1/payment_intents",
        body="amount=900&currency=eur&confirm=true&metadata[help]=7&payment_method_types[0]=card&expand[]=latest_charge",
    )
    assert checked.operation == "POST /v1/payment_intents"
    assert checked.body == {
        "amount": 900,
        "currency": "eur",
        "confirm": True,
        "metadata": {"help": "7"},
        "payment_method_types": ["card"],
        "expand": ["latest_charge"],
    }


def test_the_path_gives_its_names() -> None:
    checked = check("/v1/payment_intents/pi_1/capture", amount_to_capture="5")
    assert (checked.operation, checked.names) == ("POST /v1/payment_intents/{intent}/capture", {"intent": "pi_1"})


def test_a_fixed_path_comes_before_one_with_names() -> None:
    checked = check("/v1/charges/search", "GET", query="query=x")
    assert checked.operation == "GET /v1/charges/search"


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        ("amount=900&curency=eur", "the parameter curency is unknown"),
        ("amount=9.50&currency=eur", "amount takes an integer, not '9.50'"),
        ("amount=nine&currency=eur", "amount takes an integer, not 'nine'"),
        ("currency=eur", "the parameter amount is missing"),
        ("amount=9&currency=eur&capture_method=by_hand", "capture_method takes one of 'automatic'"),
        ("amount=9&currency=eur&confirm=yes", "confirm takes a boolean, not 'yes'"),
        ("amount=9&currency=eur&metadata=x", "metadata takes an object"),
        ("amount=9&currency=eur&metadata[a][b]=x", "metadata[a] takes a string, not {b}"),
        ("amount=9&currency=eur&customer[id]=x", "customer takes a string"),
        ("amount=9&currency=eur&payment_method_types=card", "payment_method_types takes a list"),
        ("amount=9&currency=eur&payment_method_types[1]=card", "payment_method_types takes a list numbered from 0"),
        (
            "amount=9&currency=eur&payment_method_options[card][capture]=x",
            "payment_method_options[card][capture] is unknown",
        ),
        ("amount=9&currency=eur&amount=10", "'amount' is given twice"),
        ("amount=9&currency=eur&metadata[a=x", "the key 'metadata[a' is malformed"),
        ("amount=9&currency=eur&metadata[a]b=x", "the key 'metadata[a]b' is malformed"),
        ("amount=9&currency=eur&metadata=&metadata[a]=x", "'metadata[a]' is given as a text and as more than that"),
        (f"amount=9&currency=eur&description={'x' * 1001}", "description is longer than 1000 characters"),
    ],
)
def test_a_wrong_parameter_is_named(body: str, complaint: str) -> None:
    with pytest.raises(SpecError) as caught:
        load_spec().check("POST", "/v1/payment_intents", body=body)
    assert str(caught.value).startswith("POST /v1/payment_intents: ")
    assert complaint in str(caught.value)


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/v1/payment_intent"), ("POST", "/v1/payment_intents/"), ("PUT", "/v1/refunds"), ("GET", "/")],
)
def test_an_unknown_operation_is_refused(method: str, path: str) -> None:
    with pytest.raises(SpecError, match="has no such operation"):
        check(path, method)


def test_a_query_is_checked_too() -> None:
    assert check("/v1/refunds", "GET", query="created[gte]=5&limit=3").query == {"created": {"gte": 5}, "limit": 3}
    with pytest.raises(SpecError, match=r"the parameter created\[since\] is unknown"):
        check("/v1/refunds", "GET", query="created[since]=5")


def test_parameters_of_a_post_do_not_belong_in_its_address() -> None:
    with pytest.raises(SpecError, match="the parameter amount is unknown"):
        check("/v1/refunds", query="amount=5", payment_intent="pi_1")


class CheckingClient(stripe.HTTPClient):
    """Hands what the SDK would send to the checker."""

    name = "checker"

    def __init__(self) -> None:
        super().__init__()
        self.checked: list[Checked] = []

    def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        post_data: Any = None,
        *,
        _usage: list[str] | None = None,
    ) -> tuple[str, int, dict[str, str]]:
        address = urlsplit(url)
        self.checked.append(load_spec().check(method.upper(), address.path, address.query, post_data or ""))
        return "{}", 200, {}


def test_what_the_real_sdk_makes_passes() -> None:
    http = CheckingClient()
    client = stripe.StripeClient("sk_test_x", http_client=http)
    client.v1.payment_intents.create(
        {
            "amount": 900,
            "currency": "eur",
            "confirm": True,
            "payment_method": "pm_1",
            "return_url": "https://hopps.test/",
            "metadata": {"help": "7"},
            "expand": ["latest_charge"],
        }
    )
    client.v1.payment_intents.retrieve("pi_1", {"expand": ["payment_method"]})
    client.v1.refunds.list({"created": {"gte": 5}, "limit": 3})
    assert [checked.operation for checked in http.checked] == [
        "POST /v1/payment_intents",
        "GET /v1/payment_intents/{intent}",
        "GET /v1/refunds",
    ]
    assert http.checked[0].body["confirm"] is True
    assert http.checked[2].query == {"created": {"gte": 5}, "limit": 3}


def test_a_misspelt_parameter_passes_the_sdk_and_not_the_checker() -> None:
    client = stripe.StripeClient("sk_test_x", http_client=CheckingClient())
    misspelt: Any = {"amont_to_capture": 5}
    with pytest.raises(SpecError, match="the parameter amont_to_capture is unknown"):
        client.v1.payment_intents.capture("pi_1", misspelt)
