"""One's photo, one's data and the end of an account, as a person goes through them."""

import re
from pathlib import Path

from PIL import Image
from playwright.sync_api import expect

from tests.browser.call import CUSTOMER
from tests.browser.conftest import PHONE, OpenPage
from tests.browser.test_pages import check
from tests.browser.tools import light_and_dark
from tests.live import DEMO_PASSWORD, LiveServer


def test_a_photo_is_set_data_taken_and_the_account_deleted(server: LiveServer, open_page: OpenPage, tmp_path: Path) -> None:
    page = open_page(server, CUSTOMER)
    wrong = []

    # As large as a phone makes them: more than any other form may send.
    Image.effect_noise((2400, 2400), 120).convert("RGB").save(tmp_path / "me.jpg", quality=95)
    assert (tmp_path / "me.jpg").stat().st_size > 3_000_000
    page.goto("/settings/")
    page.get_by_label("Photo", exact=True).set_input_files(tmp_path / "me.jpg")
    page.get_by_role("button", name="Use this photo").click()
    photo = page.get_by_role("img", name="Your photo")
    expect(photo).to_be_visible()
    assert photo.evaluate("image => image.naturalWidth") == 160
    wrong += check(page, "settings with a photo")
    light_and_dark(page, "settings-photo")

    page.get_by_role("link", name="Your data").click()
    wrong += check(page, "your data")
    light_and_dark(page, "your-data")
    page.get_by_role("link", name="Delete my account").click()
    # Who signed in a while ago, or by another way, is asked for the password first.
    if "/reauthenticate/" in page.url:
        page.get_by_label("Password").fill(DEMO_PASSWORD)
        page.get_by_role("main").get_by_role("button").first.click()
    expect(page.get_by_role("heading", name="Delete your account")).to_be_visible()
    wrong += check(page, "deleting")
    light_and_dark(page, "deleting")
    page.set_viewport_size(PHONE)
    light_and_dark(page, "deleting-phone")

    page.goto("/settings/data/")
    light_and_dark(page, "your-data-phone")
    with page.expect_download() as taken:
        page.get_by_role("link", name="Download as CSV").click()
    assert taken.value.suggested_filename.endswith(".zip")

    page.goto("/settings/delete/")
    page.get_by_label("Your mail address").fill(CUSTOMER)
    page.get_by_role("button", name="Delete my account for good").click()
    expect(page.get_by_text("Your account is deleted.")).to_be_visible()
    page.goto("/settings/")
    expect(page).to_have_url(re.compile("/accounts/login/"))
    assert not wrong, "\n".join(wrong)
