"""What an expert still has to do: each with why, and one way to do it, until all is done."""

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import deciding
from accounts.applying import devices_work
from accounts.consent import end_consent
from accounts.models import ExpertProfile, TextConsent, Topic, User
from billing.models import PayoutAccount
from billing.payout_accounts import open_account
from sessions_app.checklist import Item, checklist
from tests.people import give_phone, make_expert, make_request, open_all_hours

pytestmark = pytest.mark.django_db


def items(user: User) -> dict[str, Item]:
    return {item.title: item for item in checklist(ExpertProfile.objects.select_related("user").get(user=user))}


def make_ready(user: User) -> None:
    open_all_hours(user)
    give_phone(user, "+436641234567")
    PayoutAccount.objects.filter(pk=open_account(owner=user).pk).update(ready=True)
    devices_work(user=user)


def test_a_new_expert_has_everything_to_do_and_hears_why(eve: User) -> None:
    found = items(eve)
    assert [item.title for item in found.values() if not item.done] == [
        "Set your hours", "Verify your phone", "Set up payouts", "Test sound and devices",
    ]  # fmt: skip
    assert found["Verify your phone"].why == "Without a phone we cannot text you when your board is closed."
    assert found["Set your hours"].link == reverse("expert_hours")
    assert found["Set up payouts"].link == reverse("earnings")
    assert found["Test sound and devices"].link == reverse("expert_check")
    assert found["Verify your phone"].link == reverse("account_change_phone")


def test_a_phone_that_gets_no_texts_is_not_done(eve: User) -> None:
    make_ready(eve)
    assert items(eve) == {}
    ExpertProfile.objects.filter(user=eve).update(by_text=False)
    assert items(eve)["Switch texts on"].link == f"{reverse('expert_reach')}#texts"
    ExpertProfile.objects.filter(user=eve).update(by_text=True)
    end_consent(number="+436641234567", by=TextConsent.EndedBy.STOP)
    assert not items(eve)["Switch texts on"].done


def test_each_thing_done_is_ticked(eve: User) -> None:
    open_all_hours(eve)
    assert items(eve)["Set your hours"].done
    give_phone(eve, "+436641234567")
    assert items(eve)["Verify your phone"].done
    devices_work(user=eve)
    assert items(eve)["Test sound and devices"].done
    account = open_account(owner=eve)
    assert not items(eve)["Set up payouts"].done, "opened, and not ready to be paid to"
    PayoutAccount.objects.filter(pk=account.pk).update(ready=True)
    assert items(eve) == {}


def test_it_is_on_the_board_and_the_settings_until_all_is_done(client: Client, eve: User) -> None:
    client.force_login(eve)
    pages = ("/expert/", "/expert/settings/")
    for page in pages:
        shown = client.get(page).content.decode()
        assert "Before you are fully reachable" in shown
        assert "we cannot text you" in shown
        assert 'href="/expert/check/"' in shown
    make_ready(eve)
    for page in pages:
        assert "Before you are fully reachable" not in client.get(page).content.decode()


def test_what_is_left_to_do_keeps_nobody_from_being_available(client: Client, alice: User, topic: Topic) -> None:
    nora = make_expert("nora@example.org", "Nora", topic)
    assert len(items(nora)) == 5
    client.force_login(nora)
    client.post("/expert/availability/", {"available": "1"})
    session = make_request(alice, topic)
    assert session.title in client.get("/expert/").content.decode()


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (ExpertProfile.State.APPLIED, "An operator is looking at your application."),
        (ExpertProfile.State.REFUSED, "The reasons stand at your topics"),
        (ExpertProfile.State.SUSPENDED, "Answer the operator's mail"),
    ],
)
def test_who_is_not_approved_hears_what_happens_next(eve: User, state: str, words: str) -> None:
    make_ready(eve)
    ExpertProfile.objects.filter(user=eve).update(state=state)
    approval = items(eve)["Be approved"]
    assert not approval.done
    assert words in approval.why


def test_a_suspension_brings_it_back(eve: User) -> None:
    make_ready(eve)
    assert items(eve) == {}
    deciding.suspend(expert=eve.expert)
    assert "Be approved" in items(eve)
    assert ExpertProfile.objects.filter(user=eve, devices_tested_at__lte=timezone.now()).exists()
