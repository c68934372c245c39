"""Passkeys and codes in a real browser, with a virtual authenticator in place of a finger on a sensor."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.call import CUSTOMER, EXPERT, OPERATOR
from tests.browser.conftest import OpenPage
from tests.browser.test_pages import check
from tests.browser.tools import light_and_dark
from tests.codes import code_of
from tests.conftest import StartServer
from tests.live import DEMO_PASSWORD, LiveServer


@pytest.fixture(scope="module")
def server(start_server: StartServer) -> LiveServer:
    return start_server(SECOND_FACTOR_FOR_OPERATORS="1")


def at_a_name(server: LiveServer) -> dict[str, Any]:
    """Return where browsers make passkeys: at a name, not at an address."""
    return {"base_url": server.url.replace("127.0.0.1", "localhost")}


def authenticator(page: Page) -> Any:
    """Give the browser a sensor that knows its person; return what it is switched with."""
    devices = page.context.new_cdp_session(page)
    devices.send("WebAuthn.enable")
    kind = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True}
    answer = devices.send(
        "WebAuthn.addVirtualAuthenticator",
        {"options": {**kind, "isUserVerified": True, "automaticPresenceSimulation": True}},
    )
    return lambda verified: devices.send(
        "WebAuthn.setUserVerified", {"authenticatorId": answer["authenticatorId"], "isUserVerified": verified}
    )


def type_password(page: Page, person: str) -> None:
    page.goto("/accounts/login/")
    page.get_by_label("Email").fill(person)
    page.get_by_label("Password", exact=True).fill(DEMO_PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page).not_to_have_url(re.compile("/accounts/login/"))


def sign_out(page: Page) -> None:
    page.goto("/accounts/logout/")
    page.locator("main").get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("link", name="Sign in")).to_be_visible()


def test_an_operator_reaches_the_admin_with_a_passkey_and_not_before(server: LiveServer, open_page: OpenPage) -> None:
    page = open_page(server, **at_a_name(server))
    knows_me = authenticator(page)
    type_password(page, OPERATOR)
    page.goto("/admin/billing/payment/")
    expect(page.get_by_role("heading", name="Sign-in", exact=True)).to_be_visible()
    expect(page.get_by_text("You need a second step.")).to_be_visible()
    wrong = check(page, "sign-in")

    page.get_by_role("link", name="Add a passkey").click()
    expect(page.get_by_label("Call it")).to_have_value("Chrome on Linux")
    wrong += check(page, "adding a passkey")
    light_and_dark(page, "passkey-add")
    page.get_by_label("Call it").fill("Office laptop")
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    expect(page.locator(".codes code")).to_have_count(10)
    wrong += check(page, "recovery codes")
    light_and_dark(page, "recovery-codes")
    page.get_by_role("link", name="I have kept them").click()
    expect(page.get_by_text("Office laptop").first).to_be_visible()
    wrong += check(page, "sign-in with a passkey")
    light_and_dark(page, "sign-in")
    page.get_by_role("link", name="Go on").click()
    expect(page).to_have_url(re.compile("/admin/billing/payment/$"))

    sign_out(page)
    page.goto("/admin/")
    wrong += check(page, "the sign-in page")
    light_and_dark(page, "login")
    knows_me(False)
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_role("alert").filter(has_text="That was cancelled, or it took too long.")).to_be_visible()
    knows_me(True)
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page).to_have_url(re.compile("/admin/$"))

    sign_out(page)
    type_password(page, OPERATOR)
    expect(page.get_by_role("heading", name="One more step")).to_be_visible()
    wrong += check(page, "the second step")
    light_and_dark(page, "second-step")
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_role("link", name="Admin")).to_be_visible()
    assert not wrong, "\n".join(wrong)


def test_a_customer_sets_an_app_up_and_signs_in_with_its_code(server: LiveServer, open_page: OpenPage) -> None:
    page = open_page(server, CUSTOMER)
    page.goto("/accounts/sign-in/")
    page.get_by_role("link", name="Set up an app").click()
    picture = page.get_by_role("img", name=re.compile("^QR code"))
    assert picture.evaluate("image => image.decode().then(() => image.naturalWidth > 0)")
    secret = page.locator("[data-key]").inner_text()
    wrong = check(page, "setting an app up")
    light_and_dark(page, "app")
    page.get_by_label("Code the app shows").fill("000000" if code_of(secret) != "000000" else "000001")
    page.get_by_role("button", name="Turn it on").click()
    expect(page.get_by_text("That is not the code the app should show now.")).to_be_visible()
    wrong += check(page, "a wrong code of an app")
    page.get_by_label("Code the app shows").fill(code_of(secret))
    page.get_by_role("button", name="Turn it on").click()
    recovery = page.locator(".codes code").first.inner_text()

    sign_out(page)
    type_password(page, CUSTOMER)
    page.get_by_label("Code").fill(recovery)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    page.goto("/accounts/sign-in/")
    expect(page.get_by_text("9 of 10")).to_be_visible()

    sign_out(page)
    type_password(page, CUSTOMER)
    # The code it was set up with is spent: the one after it is good, half a minute early.
    page.get_by_label("Code").fill(code_of(secret, step=1))
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    assert not wrong, "\n".join(wrong)


def test_an_expert_signs_another_device_out_and_its_board_closes(server: LiveServer, open_page: OpenPage) -> None:
    here, there = open_page(server, EXPERT), open_page(server, EXPERT)
    there.goto("/expert/")
    expect(there.get_by_role("switch", name="Available for requests")).to_be_checked()
    here.goto("/accounts/sign-in/#devices")
    expect(here.get_by_text("This device")).to_be_visible()
    with there.expect_websocket(lambda socket: socket.url.endswith("/ws/board/")) as opening:
        there.reload()
    with opening.value.expect_event("close"):
        here.get_by_role("button", name=re.compile("^Sign out Chrome on Linux")).first.click()
    expect(here.get_by_text("That device is signed out.")).to_be_visible()
    there.goto("/expert/")
    expect(there).to_have_url(re.compile("/accounts/login/"))
