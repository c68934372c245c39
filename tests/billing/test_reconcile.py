"""Our books against Stripe's: what differs is said, what is safe is repaired, and then all agree."""

from datetime import timedelta

from django.utils import timezone

from accounts.models import User
from billing import ledger
from billing.gateways.stripe import StripeGateway
from billing.models import Dispute, GatewayEvent, Hold, Payment, Payout, PayoutAccount, Posting, Refund
from billing.payouts import carry_out
from billing.reconcile import reconcile
from billing.refund import refund
from billing.release import release
from tests.billing.at_stripe import at_the_page, charged, intents, placed, stripe_card
from tests.billing.comparing import compare, is_repaired, only, paid
from tests.billing.conftest import charged as charged_in_the_demo
from tests.peers.stripe_stand_in import StripeStandIn


def test_after_a_whole_story_all_agrees(
    at_stripe: StripeStandIn, alice: User, eve: User, olga: User, account: PayoutAccount
) -> None:
    payment = charged(at_stripe, alice, eve, 4000, 3000, 1500)
    refund(payment=payment, amount_minor=1000, reason="r", by=olga)
    placed(stripe_card(at_stripe, alice))
    release(reference=placed(stripe_card(at_stripe, alice)).payment.reference)
    at_the_page(alice)
    paid(eve)
    assert compare() == []


def test_a_hold_whose_webhook_never_came_is_found(at_stripe: StripeStandIn, alice: User) -> None:
    waiting = at_the_page(alice)
    at_stripe.pay(waiting.url)
    assert is_repaired(compare())
    waiting.hold.refresh_from_db()
    assert waiting.hold.state == Hold.State.PLACED


def test_a_lapse_nobody_told_of_is_found(at_stripe: StripeStandIn, alice: User) -> None:
    hold = placed(stripe_card(at_stripe, alice))
    at_stripe.lapse_hold(hold.gateway_ref)
    assert is_repaired(compare())
    hold.refresh_from_db()
    assert hold.state == Hold.State.LAPSED


def test_money_held_for_a_hold_we_gave_up_goes_back(at_stripe: StripeStandIn, alice: User) -> None:
    hold = placed(stripe_card(at_stripe, alice))
    Hold.objects.update(state=Hold.State.DECLINED, gateway_ref="")
    assert is_repaired(compare())
    assert intents(at_stripe) == [("canceled", 0)]
    assert Hold.objects.get() == hold


def test_money_held_for_a_row_that_is_gone_goes_back(at_stripe: StripeStandIn, alice: User) -> None:
    """As after a database was restored from yesterday's backup."""
    placed(stripe_card(at_stripe, alice))
    Hold.objects.all().delete()
    found = compare()
    assert only(found).repaired
    assert "we have no row of" in str(found[0])
    assert intents(at_stripe) == [("canceled", 0)]
    assert compare() == []


def test_a_charge_without_a_row_is_for_a_person(at_stripe: StripeStandIn, alice: User, eve: User) -> None:
    payment = charged(at_stripe, alice, eve, 1000)
    Posting.objects.filter(payment=payment)._raw_delete("default")  # as a restored backup has it
    Hold.objects.all().delete()
    Payment.objects.all().delete()
    assert "is none of ours. Needs a person." in str(only(compare()))
    assert len(compare()) == 1


def test_a_charge_made_on_stripes_own_pages_is_for_a_person(at_stripe: StripeStandIn, alice: User) -> None:
    hold = placed(stripe_card(at_stripe, alice))
    StripeGateway.from_settings().capture(key="dashboard", ref=hold.gateway_ref, amount_minor=500)
    difference = only(compare())
    assert "is placed here and captured there" in difference.what
    assert not difference.repaired


def test_a_charge_whose_last_writes_were_lost_is_finished(at_stripe: StripeStandIn, alice: User, eve: User) -> None:
    payment = charged(at_stripe, alice, eve, 1000)
    Posting.objects.filter(payment=payment)._raw_delete("default")
    Payment.objects.update(state=Payment.State.CAPTURING, charged_minor=0)
    Hold.objects.update(state=Hold.State.PLACED, captured_minor=0)
    assert is_repaired(compare())
    payment.refresh_from_db()
    assert (payment.state, payment.charged_minor) == (Payment.State.CHARGED, 1000)
    assert ledger.balance(eve) == {"USD": 800}


def test_other_amounts_are_for_a_person(at_stripe: StripeStandIn, alice: User, eve: User) -> None:
    charged(at_stripe, alice, eve, 1000)
    Hold.objects.update(captured_minor=900)
    found = compare()
    assert [difference.repaired for difference in found] == [False, False]
    assert "1000 was captured there and 900 here" in found[0].what
    assert "900 was captured and 1000 charged" in found[1].what


def test_a_refund_made_on_stripes_own_pages_is_written_down(at_stripe: StripeStandIn, alice: User, eve: User) -> None:
    payment = charged(at_stripe, alice, eve, 1000)
    at_stripe.dashboard_refund(payment.holds.get().gateway_ref, 300)
    assert is_repaired(compare())
    payment.refresh_from_db()
    assert payment.refunded_minor == 300
    assert ledger.balance(eve) == {"USD": 560}


def test_a_refund_that_failed_and_nobody_told_us_is_taken_back(
    at_stripe: StripeStandIn, alice: User, eve: User, olga: User
) -> None:
    payment = charged(at_stripe, alice, eve, 1000)
    made = refund(payment=payment, amount_minor=400, reason="r", by=olga)
    at_stripe.set_refund(made.parts[0]["ref"], "failed")
    assert is_repaired(compare())
    made.refresh_from_db()
    assert made.state == Refund.State.FAILED
    assert ledger.balance(eve) == {"USD": 800}


def test_a_refund_the_bank_is_done_with_is_followed_however_old_it_is(
    at_stripe: StripeStandIn, alice: User, eve: User, olga: User
) -> None:
    payment = charged(at_stripe, alice, eve, 1000)
    at_stripe.next_refund_becomes("pending")
    made = refund(payment=payment, amount_minor=400, reason="r", by=olga)
    assert compare() == []  # pending on both sides
    at_stripe.set_refund(made.parts[0]["ref"], "succeeded")
    Refund.objects.update(created_at=timezone.now() - timedelta(days=60))
    assert is_repaired(compare())
    made.refresh_from_db()
    assert made.state == Refund.State.SUCCEEDED


def test_a_refund_made_at_stripe_and_found_weeks_later_is_no_difference_any_more(
    at_stripe: StripeStandIn, alice: User, eve: User
) -> None:
    payment = charged(at_stripe, alice, eve, 1000)
    at_stripe.dashboard_refund(payment.holds.get().gateway_ref, 100)
    assert is_repaired(compare())
    weeks_later = timezone.now() + timedelta(days=20)
    Refund.objects.update(created_at=weeks_later)
    now = weeks_later + timedelta(minutes=10)
    assert reconcile(gateway_name="stripe", since=now - timedelta(days=14), now=now) == []


def test_a_refund_that_stripe_does_not_know_is_for_a_person(
    at_stripe: StripeStandIn, alice: User, eve: User, olga: User
) -> None:
    payment = charged(at_stripe, alice, eve, 1000)
    made = refund(payment=payment, amount_minor=400, reason="r", by=olga)
    Refund.objects.update(parts=[{**made.parts[0], "ref": "re_of_another_world"}])
    sentences = [str(difference) for difference in compare()]
    assert any("re_of_another_world is unknown there. Needs a person." in sentence for sentence in sentences)


def test_disputes_nobody_told_us_of_are_written_down_and_followed(at_stripe: StripeStandIn, alice: User, eve: User) -> None:
    payment = charged(at_stripe, alice, eve, 1000)
    opened = at_stripe.open_dispute(payment.holds.get().gateway_ref)
    assert is_repaired(compare())
    assert ledger.balance(eve) == {"USD": 0}
    at_stripe.set_dispute(opened["id"], "won")
    assert is_repaired(compare())
    assert Dispute.objects.get().state == Dispute.State.WON
    assert ledger.balance(eve) == {"USD": 800}


def test_a_payout_whose_answer_was_lost_is_found(
    at_stripe: StripeStandIn, alice: User, eve: User, account: PayoutAccount
) -> None:
    charged(at_stripe, alice, eve, 1000)
    payout = paid(eve)
    Payout.objects.update(state=Payout.State.PENDING, gateway_ref="")
    assert is_repaired(compare())
    payout.refresh_from_db()
    assert payout.state == Payout.State.PAID
    assert ledger.balance(eve) == {"USD": 0}


def test_a_payout_taken_back_on_stripes_own_pages_is_owed_again(
    at_stripe: StripeStandIn, alice: User, eve: User, account: PayoutAccount
) -> None:
    charged(at_stripe, alice, eve, 1000)
    at_stripe.reverse_transfer(paid(eve).gateway_ref, 300)
    assert is_repaired(compare())
    assert ledger.balance(eve) == {"USD": 300}


def test_a_payout_that_never_left_is_made(at_stripe: StripeStandIn, alice: User, eve: User, account: PayoutAccount) -> None:
    charged(at_stripe, alice, eve, 1000)
    now = timezone.now()
    payout = Payout.objects.create(account=account, expert=eve, amount_minor=800, currency="USD", period="2026-W48")
    assert is_repaired(compare())
    assert carry_out(payout, now).state == Payout.State.PAID
    assert [transfer["amount"] for transfer in at_stripe.books()["transfer"]] == [800]


def test_a_transfer_that_is_none_of_ours_is_for_a_person(
    at_stripe: StripeStandIn, alice: User, eve: User, account: PayoutAccount
) -> None:
    StripeGateway.from_settings().transfer(key="by hand", account_ref=account.gateway_ref, amount_minor=500, currency="USD")
    assert "of $5.00 is not in our books. Needs a person." in str(only(compare()))


def test_only_looking_changes_nothing(at_stripe: StripeStandIn, alice: User, eve: User) -> None:
    at_stripe.pay(at_the_page(alice).url)
    payment = charged(at_stripe, alice, eve, 1000)
    at_stripe.dashboard_refund(payment.holds.get().gateway_ref, 300)
    found = compare(repair=False)
    assert [difference.repaired for difference in found] == [False, False]
    assert Hold.objects.filter(state=Hold.State.PENDING).exists()
    assert not Refund.objects.exists()


def test_what_is_being_worked_on_is_left_alone(at_stripe: StripeStandIn, alice: User) -> None:
    at_stripe.pay(at_the_page(alice).url)
    now = timezone.now()
    assert reconcile(gateway_name="stripe", since=now - timedelta(days=1), now=now) == []


def test_an_event_nobody_can_look_into_is_said(at_stripe: StripeStandIn, alice: User, eve: User) -> None:
    payment = charged(at_stripe, alice, eve, 1000)
    at_stripe.open_dispute(payment.holds.get().gateway_ref)
    GatewayEvent.objects.create(
        gateway="stripe", event_id="evt_1", type="charge.dispute.created", payload={}, subject="dispute", ref="dp_nonsense",
        received_at=timezone.now() - timedelta(days=4),
    )  # fmt: skip
    sentences = [str(difference) for difference in compare()]
    assert any("evt_1 (charge.dispute.created) was not looked into, and was given up" in sentence for sentence in sentences)
    # The last look was taken: it is not said every night.
    assert GatewayEvent.objects.get().outcome.startswith("refused")
    assert compare() == []


def test_the_demo_books_are_compared_as_well(alice: User, eve: User, olga: User) -> None:
    payment = charged_in_the_demo(alice, eve, 4000, 3000, 1500)
    refund(payment=payment, amount_minor=1000, reason="r", by=olga)
    assert compare("demo") == []
    Hold.objects.filter(sequence=1).update(captured_minor=1)
    assert compare("demo") != []


def test_a_dispute_older_than_the_days_looked_at_is_followed_until_it_is_over(
    at_stripe: StripeStandIn, alice: User, eve: User
) -> None:
    """Banks take months, and the event that closes it may be lost."""
    payment = charged(at_stripe, alice, eve, 1000)
    opened = at_stripe.open_dispute(payment.holds.get().gateway_ref)
    assert is_repaired(compare())
    at_stripe.set_dispute(opened["id"], "won")
    found = compare(since_days=0)
    assert only(found).repaired
    assert "is won there and needs_answer here" in str(found[0])
    assert ledger.balance(eve) == {"USD": 800}
    assert compare(since_days=0) == []


def test_an_open_dispute_that_stripe_does_not_know_is_for_a_person(at_stripe: StripeStandIn, alice: User, eve: User) -> None:
    payment = charged(at_stripe, alice, eve, 1000)
    opened = at_stripe.open_dispute(payment.holds.get().gateway_ref)
    compare()
    Dispute.objects.update(gateway_ref="dp_of_another_world")
    other = charged(at_stripe, alice, eve, 500)
    known = at_stripe.open_dispute(other.holds.get().gateway_ref)
    compare()
    at_stripe.set_dispute(known["id"], "lost")
    said = [str(difference) for difference in compare(since_days=0)]
    assert len(said) == 2, said
    assert any("dp_of_another_world" in one and one.endswith("Needs a person.") for one in said)
    assert any(f"{known['id']} is lost there" in one and one.endswith("Repaired.") for one in said)
    assert opened["id"] != known["id"]


def test_an_account_that_became_ready_unheard_is_paid_to(at_stripe: StripeStandIn, account: PayoutAccount) -> None:
    PayoutAccount.objects.update(ready=False)
    assert is_repaired(compare())
    account.refresh_from_db()
    assert account.ready
    at_stripe.set_account(account.gateway_ref, enabled=False)
    assert is_repaired(compare())
    account.refresh_from_db()
    assert not account.ready


def test_an_account_that_stripe_does_not_know_is_for_a_person(at_stripe: StripeStandIn, account: PayoutAccount) -> None:
    PayoutAccount.objects.update(gateway_ref="acct_of_another_world")
    difference = only(compare())
    assert "acct_of_another_world" in difference.what
    assert not difference.repaired


def test_a_pending_refund_that_stripe_does_not_show_is_for_a_person_and_stays_as_it_is(
    at_stripe: StripeStandIn, alice: User, eve: User, olga: User
) -> None:
    """However old it is. Its other part is no worse for it."""
    payment = charged(at_stripe, alice, eve, 4000, 3000, 1500)
    at_stripe.next_refund_becomes("pending")
    made = refund(payment=payment, amount_minor=3500, reason="r", by=olga)
    known, lost = made.parts
    Refund.objects.update(
        parts=[{**known, "state": "pending"}, {**lost, "ref": "re_of_another_world", "state": "pending"}], state="pending"
    )
    said = [str(difference) for difference in compare(since_days=0)]
    assert said == [f"Refund {made.pk}: its part re_of_another_world is unknown there. Needs a person."]
    assert [str(difference) for difference in compare()] == said
    at_stripe.set_refund(known["ref"], "succeeded")
    assert sorted(difference.repaired for difference in compare()) == [False, True]
    made.refresh_from_db()
    assert [part["state"] for part in made.parts] == ["succeeded", "pending"]
