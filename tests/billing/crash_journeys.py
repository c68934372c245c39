"""The ways money moves: what is there before, what is done, how one tries again, and what must be true in the end."""

from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID, uuid4

from billing import cards
from billing.models import Hold, Payout, PayoutAccount
from billing.payouts import pay_everybody
from billing.refund import refund
from sessions_app.ask import draft_of
from tests.billing.crash_checks import DISPUTE, Money
from tests.billing.crash_scene import CAP_MINOR, CAP_MINUTES, Scene
from tests.peers.stripe_stand_in import NEEDS_AUTHENTICATION


@dataclass(frozen=True)
class Journey:
    """One of them. `least` is the least number of points at which the process may die in it."""

    prepare: Callable[[Scene], object]
    do: Callable[[Scene], object]
    end: Money
    least: int
    again: Callable[[Scene], object] = field(default=lambda scene: None)


def ask_without_a_card(scene: Scene) -> None:
    scene.ask(None)


def go_on_with_the_draft(scene: Scene) -> None:
    """Alice opens her draft, presses "Enter your card" where it is offered, and asks anew where it is not."""
    draft = draft_of(scene.alice)
    hold = Hold.objects.filter(payment__reference=draft.pk).last() if draft is not None else None
    if draft is not None and hold is not None:
        address = f"/billing/holds/{hold.pk}/continue/"
        if address in scene.browser(scene.alice).get(f"/sessions/{draft.pk}/").content.decode():
            scene.follow(scene.browser(scene.alice).get(address)["Location"])
            scene.facts["session"] = str(draft.pk)
            return
    ask_with_the_first_card(scene)


def ask_with_the_first_card(scene: Scene) -> None:
    scene.ask(cards.default_card(scene.alice))


def with_a_saved_card(number: str | None = None) -> Callable[[Scene], None]:
    def prepare(scene: Scene) -> None:
        scene.sign_in(scene.alice)
        if number is None:
            scene.save_card()
        else:
            scene.save_card(number)

    return prepare


def in_the_room(scene: Scene) -> None:
    scene.talk(seconds=60)
    scene.facts["staying"] = "yes"
    scene.sign_in(scene.alice)


def get_more_time(scene: Scene) -> None:
    """The form is sent as the page showed it first; sent twice, it extends once."""
    card = cards.default_card(scene.alice)
    assert card is not None
    scene.act("extend", minutes=CAP_MINUTES, card=card.pk, seen_cap_minutes=CAP_MINUTES)


def after_talking(*, seconds: int, holds: int) -> Callable[[Scene], None]:
    def prepare(scene: Scene) -> None:
        scene.talk(seconds=seconds, holds=holds)
        scene.sign_in(scene.alice)

    return prepare


def end(scene: Scene) -> None:
    scene.end()


def after_asking(scene: Scene) -> None:
    scene.request()
    scene.sign_in(scene.alice)


def cancel(scene: Scene) -> None:
    scene.act("cancel")


def after_paying(scene: Scene) -> None:
    """$40.00: $30.00 from the first hold, $10.00 from the second."""
    scene.charge(minutes=20, holds=2)
    # The operator's form has it, and sends it again after a crash.
    scene.facts["refund"] = str(uuid4())


def give_back(amount_minor: int) -> Callable[[Scene], None]:
    def do(scene: Scene) -> None:
        refund(
            payment=scene.payment(),
            amount_minor=amount_minor,
            reason="The sound broke off.",
            by=scene.olga,
            refund_id=UUID(scene.facts["refund"]),
        )

    return do


def after_a_dispute(scene: Scene) -> None:
    scene.charge(minutes=10)
    hold = scene.payment().holds.earliest("sequence")
    scene.facts["dispute"] = scene.peer.open_dispute(hold.gateway_ref)["id"]


def after_winning(scene: Scene) -> None:
    after_a_dispute(scene)
    scene.deliver(*DISPUTE)
    scene.peer.set_dispute(scene.facts["dispute"], "won")


def hear_of_it(scene: Scene) -> None:
    scene.deliver(*DISPUTE)


def hear_the_rest(scene: Scene) -> None:
    """Stripe tells again what was not taken; what was written down and not looked into is left to the jobs."""
    scene.deliver(*DISPUTE, only_new=True)


def after_earning(scene: Scene) -> None:
    scene.charge(minutes=10)
    scene.facts["days"] = "3"  # the time to report a problem is over
    scene.sign_in(scene.eve)


def set_up_and_be_paid(scene: Scene) -> None:
    set_up_payouts(scene)
    pay_everybody(scene.now)


def set_up_payouts(scene: Scene) -> None:
    """Eve goes to Stripe's pages and back, where payouts are not set up yet; then it is Monday."""
    if not PayoutAccount.objects.filter(owner=scene.eve, ready=True).exists():
        answer = scene.browser(scene.eve).post("/expert/payouts/account/")
        if answer["Location"].startswith(scene.peer.url):
            scene.peer.finish_onboarding(answer["Location"])
        scene.browser(scene.eve).get("/expert/payouts/return/")


def with_nothing_to_pay_with(scene: Scene) -> None:
    after_earning(scene)
    set_up_payouts(scene)
    scene.peer.no_balance_for_next_transfer()


def pay(scene: Scene) -> None:
    pay_everybody(scene.now)


def pay_again_and_a_week_later(scene: Scene) -> None:
    """The job runs once more in the same week, which changes nothing, and in the next, which pays."""
    pay_everybody(scene.now)
    assert Payout.objects.get().state == Payout.State.FAILED, Payout.objects.get().state
    assert not scene.peer.books()["transfer"]
    scene.facts["days"] = str(int(scene.facts["days"]) + 7)
    pay_everybody(scene.now)


JOURNEYS = {
    "first hold by Checkout": Journey(
        with_nothing := lambda scene: scene.sign_in(scene.alice),
        ask_without_a_card,
        Money(held=CAP_MINOR),
        least=15,
        again=go_on_with_the_draft,
    ),
    "hold on a saved card": Journey(
        with_a_saved_card(), ask_with_the_first_card, Money(held=CAP_MINOR), least=10, again=ask_with_the_first_card
    ),
    "hold the bank asks about": Journey(
        with_a_saved_card(NEEDS_AUTHENTICATION),
        ask_with_the_first_card,
        Money(held=CAP_MINOR),
        least=10,
        again=ask_with_the_first_card,
    ),
    "extension": Journey(in_the_room, get_more_time, Money(held=2 * CAP_MINOR), least=5, again=get_more_time),
    "capture over two holds, the third released": Journey(
        after_talking(seconds=22 * 60, holds=3), end, Money(taken=4000, owed=3200), least=15, again=end
    ),
    "capture of too little": Journey(after_talking(seconds=130, holds=1), end, Money(), least=10, again=end),
    "cancel": Journey(after_asking, cancel, Money(), least=5, again=cancel),
    "full refund over two holds": Journey(
        after_paying, give_back(4000), Money(taken=4000, given_back=4000), least=8, again=give_back(4000)
    ),
    "partial refund over two holds": Journey(
        after_paying, give_back(3500), Money(taken=4000, given_back=3500, owed=400), least=8, again=give_back(3500)
    ),
    "dispute opened": Journey(after_a_dispute, hear_of_it, Money(taken=2000, disputed=2000), least=5, again=hear_the_rest),
    "dispute won": Journey(after_winning, hear_of_it, Money(taken=2000, owed=1600), least=5, again=hear_the_rest),
    "payouts set up and made": Journey(
        after_earning, set_up_and_be_paid, Money(taken=2000, transferred=1600), least=8, again=set_up_and_be_paid
    ),
    "payout refused, and made a week later": Journey(
        with_nothing_to_pay_with, pay, Money(taken=2000, transferred=1600), least=5, again=pay_again_and_a_week_later
    ),
}
