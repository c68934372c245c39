"""Disputes, and the accounts and transfers of Connect, at the stand-in."""

import pytest
import stripe

from tests.peers.stripe_stand_in import StripeStandIn


def kinds(stripe_peer: StripeStandIn) -> list[str]:
    return [event["type"] for event in stripe_peer.events()]


def test_a_dispute_takes_the_money_and_bars_refunds(
    client: stripe.StripeClient, stripe_peer: StripeStandIn, paid: stripe.PaymentIntent
) -> None:
    made = stripe_peer.open_dispute(paid.id, reason="product_not_received")
    dispute = client.v1.disputes.retrieve(made["id"], {"expand": ["charge"]})
    assert (dispute.amount, dispute.status, dispute.reason) == (900, "needs_response", "product_not_received")
    assert isinstance(dispute.charge, stripe.Charge)
    assert dispute.charge.disputed
    assert dispute.evidence_details.due_by is not None
    assert [each.amount for each in dispute.balance_transactions] == [-900]
    assert kinds(stripe_peer)[-2:] == ["charge.dispute.created", "charge.dispute.funds_withdrawn"]
    with pytest.raises(stripe.InvalidRequestError) as caught:
        client.v1.refunds.create({"payment_intent": paid.id})
    assert caught.value.code == "charge_disputed"
    assert [each.id for each in client.v1.disputes.list({"payment_intent": paid.id}).data] == [dispute.id]


def test_a_dispute_won_brings_the_money_back(
    client: stripe.StripeClient, stripe_peer: StripeStandIn, paid: stripe.PaymentIntent
) -> None:
    dispute = stripe_peer.open_dispute(paid.id)
    stripe_peer.set_dispute(dispute["id"], "under_review")
    stripe_peer.set_dispute(dispute["id"], "won")
    won = client.v1.disputes.retrieve(dispute["id"])
    assert (won.status, [each.amount for each in won.balance_transactions]) == ("won", [-900, 900])
    assert kinds(stripe_peer)[-3:] == [
        "charge.dispute.updated",
        "charge.dispute.funds_reinstated",
        "charge.dispute.closed",
    ]


def test_a_dispute_lost_brings_nothing_back(
    client: stripe.StripeClient, stripe_peer: StripeStandIn, paid: stripe.PaymentIntent
) -> None:
    dispute = stripe_peer.open_dispute(paid.id, amount=300)
    stripe_peer.set_dispute(dispute["id"], "lost")
    lost = client.v1.disputes.retrieve(dispute["id"])
    assert (lost.status, [each.amount for each in lost.balance_transactions]) == ("lost", [-300])
    assert kinds(stripe_peer)[-1] == "charge.dispute.closed"


def test_an_inquiry_moves_no_money_until_it_is_a_dispute(
    client: stripe.StripeClient, stripe_peer: StripeStandIn, paid: stripe.PaymentIntent
) -> None:
    inquiry = stripe_peer.open_dispute(paid.id, status="warning_needs_response")
    assert kinds(stripe_peer)[-1] == "charge.dispute.created"
    assert client.v1.disputes.retrieve(inquiry["id"]).balance_transactions == []
    stripe_peer.set_dispute(inquiry["id"], "needs_response")
    assert kinds(stripe_peer)[-2:] == ["charge.dispute.funds_withdrawn", "charge.dispute.updated"]


def test_evidence_puts_a_dispute_under_review(
    client: stripe.StripeClient, stripe_peer: StripeStandIn, paid: stripe.PaymentIntent
) -> None:
    dispute = stripe_peer.open_dispute(paid.id)["id"]
    answered = client.v1.disputes.update(dispute, {"evidence": {"service_documentation": "file_1"}, "submit": True})
    assert (answered.status, answered.evidence_details.submission_count) == ("under_review", 1)


@pytest.fixture
def account(client: stripe.StripeClient) -> str:
    """An Express account that was not onboarded yet."""
    made = client.v1.accounts.create(
        {"type": "express", "country": "DE", "email": "e@hopps.test", "capabilities": {"transfers": {"requested": True}}}
    )
    assert (made.details_submitted, made.payouts_enabled) == (False, False)
    assert made.requirements is not None
    assert made.requirements.currently_due
    return made.id


def onboard(client: stripe.StripeClient, stripe_peer: StripeStandIn, account: str) -> None:
    link = client.v1.account_links.create(
        {
            "account": account,
            "type": "account_onboarding",
            "return_url": "https://hopps.test/done",
            "refresh_url": "https://hopps.test/again",
        }
    )
    assert ">Finish<" in stripe_peer.page(link.url).text
    assert stripe_peer.finish_onboarding(link.url).location == "https://hopps.test/done"


def test_onboarding_makes_an_account_payable(client: stripe.StripeClient, stripe_peer: StripeStandIn, account: str) -> None:
    onboard(client, stripe_peer, account)
    done = client.v1.accounts.retrieve(account)
    assert done.requirements is not None
    assert (done.details_submitted, done.payouts_enabled, done.requirements.currently_due) == (True, True, [])
    assert stripe_peer.events()[-1]["account"] == account
    assert client.v1.accounts.login_links.create(account).url == f"{stripe_peer.url}/express/{account}"


def test_the_dashboard_opens_after_onboarding_only(client: stripe.StripeClient, account: str) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="not completed onboarding"):
        client.v1.accounts.login_links.create(account)


def test_an_account_can_lose_its_payouts(client: stripe.StripeClient, stripe_peer: StripeStandIn, account: str) -> None:
    onboard(client, stripe_peer, account)
    stripe_peer.set_account(account, enabled=False, disabled_reason="requirements.past_due")
    lost = client.v1.accounts.retrieve(account)
    assert lost.requirements is not None
    assert (lost.payouts_enabled, lost.requirements.disabled_reason) == (False, "requirements.past_due")


def transfer(client: stripe.StripeClient, account: str) -> stripe.Transfer:
    return client.v1.transfers.create(
        {
            "amount": 700,
            "currency": "eur",
            "destination": account,
            "transfer_group": "payout-1",
            "metadata": {"payout": "1"},
        }
    )


def test_a_transfer_needs_an_account_that_can_be_paid(client: stripe.StripeClient, account: str) -> None:
    with pytest.raises(stripe.InvalidRequestError) as caught:
        transfer(client, account)
    assert caught.value.code == "insufficient_capabilities_for_transfer"
    with pytest.raises(stripe.InvalidRequestError, match="No such account"):
        transfer(client, "acct_none")


def test_a_transfer_is_found_by_its_group_and_can_be_reversed(
    client: stripe.StripeClient, stripe_peer: StripeStandIn, account: str
) -> None:
    onboard(client, stripe_peer, account)
    sent = transfer(client, account)
    assert [each.id for each in client.v1.transfers.list({"transfer_group": "payout-1", "created": {"gte": 1}}).data] == [
        sent.id
    ]
    stripe_peer.reverse_transfer(sent.id, 200)
    part = client.v1.transfers.retrieve(sent.id)
    assert (part.amount_reversed, part.reversed, len(part.reversals.data)) == (200, False, 1)
    stripe_peer.reverse_transfer(sent.id)
    assert client.v1.transfers.retrieve(sent.id).reversed
    assert kinds(stripe_peer)[-3:] == ["transfer.created", "transfer.reversed", "transfer.reversed"]


def test_a_transfer_can_fail_for_want_of_balance(
    client: stripe.StripeClient, stripe_peer: StripeStandIn, account: str
) -> None:
    onboard(client, stripe_peer, account)
    stripe_peer.no_balance_for_next_transfer()
    with pytest.raises(stripe.InvalidRequestError) as caught:
        transfer(client, account)
    assert caught.value.code == "balance_insufficient"
    assert stripe_peer.books()["transfer"] == []
    assert transfer(client, account).amount == 700
