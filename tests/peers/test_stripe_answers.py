"""The checker of the stand-in's own answers bites."""

from typing import Any

import pytest

from tests.peers.openapi_answers import check_answer, check_object
from tests.peers.stripe_spec import SpecError, load_spec

REFUND = {
    "id": "re_1",
    "object": "refund",
    "amount": 5,
    "created": 1,
    "currency": "eur",
    "charge": "ch_1",
    "metadata": {"a": "b"},
    "reason": None,
    "status": "succeeded",
}


def test_a_good_object_passes() -> None:
    check_object(load_spec(), REFUND)
    check_answer(load_spec(), "GET /v1/refunds", {"object": "list", "url": "/", "has_more": False, "data": [REFUND]})


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"amount": "5"}, "refund.amount is '5', no integer"),
        ({"amount": True}, "refund.amount is True, no integer"),
        ({"amount": None}, "refund.amount is None, no integer"),
        ({"amout": 5}, "refund.amout is a field Stripe does not have"),
        ({"reason": "because"}, "refund.reason is 'because', none of 'duplicate'"),
        ({"metadata": {"a": 1}}, "refund.metadata.a is 1, no string"),
        ({"charge": {"id": "ch_1", "object": "charge", "amount": "x"}}, "refund.charge.amount is 'x', no integer"),
        ({"charge": {"id": "ch_1", "object": "charge"}}, "refund.charge.amount is missing"),
    ],
)
def test_a_wrong_field_is_named(change: dict[str, Any], complaint: str) -> None:
    with pytest.raises(SpecError) as caught:
        check_object(load_spec(), {**REFUND, **change})
    assert complaint in str(caught.value)


def test_a_wrong_answer_names_its_operation() -> None:
    with pytest.raises(SpecError, match=r"GET /v1/refunds/\{refund\}: the answer.amount is missing"):
        check_answer(load_spec(), "GET /v1/refunds/{refund}", {key: REFUND[key] for key in REFUND if key != "amount"})
