"""What is sensitive asks who it is, where the sign-in is old, and loses nothing meanwhile."""

from urllib.parse import quote
from uuid import uuid4

import pytest
from allauth.mfa.models import Authenticator
from django.core import mail
from django.test import Client
from django.utils import timezone

from accounts.http import SIGNED_IN_AT
from accounts.models import Phone, User
from billing.models import PayoutAccount
from billing.payout_accounts import open_account
from hopps.at_rest import seal
from tests.people import PASSWORD, give_phone

pytestmark = pytest.mark.django_db

ASKS = "/accounts/reauthenticate/"


def signed_in_long_ago(person: User) -> Client:
    """Return a browser in which `person` signed in an hour ago."""
    browser = Client()
    browser.force_login(person)
    session = browser.session
    session[SIGNED_IN_AT] -= 60 * 60
    session.save()
    return browser


@pytest.mark.parametrize(
    "page",
    [
        "/accounts/password/change/",
        "/accounts/2fa/totp/activate/",
        "/accounts/2fa/webauthn/add/",
        "/accounts/2fa/recovery-codes/generate/",
    ],
)
def test_a_sensitive_page_asks_when_it_is_opened(alice: User, page: str) -> None:
    assert signed_in_long_ago(alice).get(page)["Location"] == f"{ASKS}?next={quote(page, safe='')}"
    just_now = Client()
    just_now.force_login(alice)
    assert just_now.get(page).status_code == 200


@pytest.mark.parametrize(
    "address",
    [
        "/accounts/email/",
        "/accounts/phone/change/",
        "/accounts/phone/remove/",
        "/accounts/sign-in/devices/sign-out/",
        "/accounts/sign-in/devices/1/sign-out/",
        "/accounts/3rdparty/",
        "/expert/payouts/account/",
        "/expert/payouts/dashboard/",
    ],
)
def test_a_sensitive_thing_asks_before_it_is_done(eve: User, address: str) -> None:
    assert signed_in_long_ago(eve).post(address)["Location"] == f"{ASKS}?next={quote(address, safe='')}"


@pytest.mark.parametrize("page", ["/accounts/sign-in/", "/accounts/email/", "/settings/", "/billing/"])
def test_looking_is_free(alice: User, page: str) -> None:
    assert signed_in_long_ago(alice).get(page).status_code == 200


def test_what_was_posted_is_done_once_the_password_is_typed_and_not_before(alice: User) -> None:
    give_phone(alice, "+436601234567")
    browser = signed_in_long_ago(alice)
    asked = browser.post("/accounts/phone/remove/?from=here")["Location"]
    assert Phone.objects.filter(user=alice).exists()
    assert browser.post(asked, {"password": "wrong"}).status_code == 200
    assert Phone.objects.filter(user=alice).exists()
    assert browser.get("/accounts/password/change/").status_code == 302
    browser.post(asked, {"password": PASSWORD, "next": "/accounts/phone/remove/"})
    assert not Phone.objects.filter(user=alice).exists()
    # And it is not asked again for a while.
    assert browser.get("/accounts/password/change/").status_code == 200


def test_what_was_posted_and_given_up_is_not_done_when_the_page_is_opened_again(alice: User, olga: User) -> None:
    browser = signed_in_long_ago(olga)
    page = f"/admin/accounts/user/{alice.pk}/suspend/"
    assert browser.post(page, {"reason": "Whoever sat here"})["Location"].startswith(ASKS)
    assert browser.get(page)["Location"].startswith(ASKS)
    answer = browser.post("/accounts/reauthenticate/", {"password": PASSWORD, "next": page})
    assert answer["Location"] == page
    assert User.objects.get(pk=alice.pk).is_active


def test_an_expert_goes_on_to_the_payout_account(eve: User) -> None:
    browser = signed_in_long_ago(eve)
    asked = browser.post("/expert/payouts/account/")["Location"]
    assert not PayoutAccount.objects.exists()
    answer = browser.post(asked, {"password": PASSWORD, "next": "/expert/payouts/account/"})
    assert answer["Location"].endswith(f"/billing/demo/account/{open_account(owner=eve).gateway_ref}/")


def test_a_new_password_is_kept_in_no_session(alice: User) -> None:
    browser = signed_in_long_ago(alice)
    form = {"oldpassword": PASSWORD, "password1": "brand-new-words-1", "password2": "brand-new-words-1"}
    assert browser.post("/accounts/password/change/", form)["Location"].startswith(ASKS)
    assert "brand-new-words" not in str(dict(browser.session))


def test_the_pages_javascript_is_told_in_a_sentence(alice: User) -> None:
    browser = signed_in_long_ago(alice)
    answer = browser.post("/accounts/phone/remove/", headers={"accept": "application/json"})
    assert answer.status_code == 403
    assert "that it is you" in answer.json()["error"]


def test_a_code_of_the_app_does_as_well(alice: User) -> None:
    Authenticator.objects.create(user=alice, type="recovery_codes", data={"seed": seal("seed"), "used_mask": 0})
    Authenticator.objects.create(user=alice, type="webauthn", data={"name": "Key"})
    codes = Authenticator.objects.get(user=alice, type="recovery_codes").wrap().generate_codes()
    browser = signed_in_long_ago(alice)
    for code, status in ((codes[0], 200), (codes[0], 302), (codes[1], 200)):
        browser.post("/accounts/2fa/reauthenticate/", {"code": code})
        assert browser.get("/accounts/password/change/").status_code == status
        session = browser.session
        session["account_authentication_methods"] = []
        session.save()


def test_a_passkey_that_is_not_known_leaves_one_where_one_was(alice: User) -> None:
    give_phone(alice, "+436601234567")
    Authenticator.objects.create(user=alice, type="recovery_codes", data={"seed": seal("seed"), "used_mask": 0})
    alice.set_unusable_password()
    alice.save()
    code = Authenticator.objects.get(user=alice).wrap().generate_codes()[0]
    browser = signed_in_long_ago(alice)
    asked = browser.post("/accounts/phone/remove/")["Location"]
    assert asked.startswith("/accounts/2fa/reauthenticate/")
    browser.post("/accounts/2fa/webauthn/reauthenticate/", {"credential": "{}", "next": "/accounts/phone/remove/"})
    assert Phone.objects.filter(user=alice).exists()
    browser.post(asked, {"code": code, "next": "/accounts/phone/remove/"})
    assert not Phone.objects.filter(user=alice).exists()


def test_who_has_nothing_to_type_signs_in_anew(alice: User) -> None:
    alice.set_unusable_password()
    alice.save()
    browser = signed_in_long_ago(alice)
    for page in ("/accounts/2fa/totp/activate/", "/accounts/password/set/"):
        asked = browser.get(page)["Location"]
        assert asked == f"/accounts/sign-in/again/?next={quote(page, safe='')}"
    assert b"Sign in again" in browser.get(asked).content
    answer = browser.post("/accounts/logout/", {"next": "/accounts/login/?next=%2Faccounts%2Fpassword%2Fset%2F"})
    assert answer["Location"] == "/accounts/login/?next=%2Faccounts%2Fpassword%2Fset%2F"


def test_making_somebody_an_operator_asks(alice: User, olga: User) -> None:
    browser = signed_in_long_ago(olga)
    for page in (f"/admin/accounts/user/{alice.pk}/change/", "/admin/accounts/user/add/"):
        assert browser.post(page, {"is_staff": "on"})["Location"].startswith(ASKS)
    assert browser.post("/admin/auth/group/add/", {"name": "All"})["Location"].startswith(ASKS)
    page = f"/admin/accounts/user/{alice.pk}/second-step/"
    assert browser.get(page)["Location"].startswith(ASKS)
    assert browser.get(f"/admin/billing/payment/{uuid4()}/refund/")["Location"].startswith(ASKS)


def test_an_operator_changes_the_password_where_guesses_are_counted(alice: User, olga: User) -> None:
    for method in ("get", "post"):
        for person, answer in ((olga, (302, "/accounts/password/change/")), (alice, (302, "/admin/login/"))):
            browser = Client()
            browser.force_login(person)
            told = getattr(browser, method)("/admin/password_change/", {"old_password": "guess"})
            assert (told.status_code, told.headers.get("Location")) == answer


def test_a_new_password_is_mailed_about(alice: User) -> None:
    browser = Client()
    browser.force_login(alice)
    form = {"oldpassword": PASSWORD, "password1": "brand-new-words-1", "password2": "brand-new-words-1"}
    assert browser.post("/accounts/password/change/", form).status_code == 302
    assert [message.subject for message in mail.outbox] == ["Your password was changed"]
    assert str(timezone.now().year) in str(mail.outbox[0].body)
