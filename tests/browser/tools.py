"""What a browser test does again and again: sign in, and ask axe what a screen reader's user would stumble over."""

import os
import re
import shutil
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, expect

from tests.live import DEMO_PASSWORD, ROOT, LiveServer

AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--use-fake-ui-for-media-stream",
    # Ten pictures a second are enough to see movement, and half the work of encoding them.
    "--use-fake-device-for-media-stream=display-media-type=browser,fps=10",
    # WebRTC between two pages where the machine has nothing but a loopback address.
    "--allow-loopback-in-peer-connection",
    "--disable-background-networking",
    "--disable-component-update",
]
# Left out where the test is about browsers keeping sound locked until a click.
AUTOPLAY = "--autoplay-policy=no-user-gesture-required"


def chromium_path() -> str:
    """Return where Chromium is: $CHROMIUM, or the first found on the PATH."""
    if named := os.environ.get("CHROMIUM"):
        return named
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if found := shutil.which(name):
            return found
    raise RuntimeError("The browser tests need Chromium: apt-get install chromium, or set CHROMIUM to its path.")


def sign_in(page: Page, server: LiveServer, email: str, password: str = DEMO_PASSWORD) -> None:
    """Sign in through the form, as a person does."""
    page.goto(f"{server.url}/accounts/login/")
    form = page.locator("form:has(input[name=password])")
    form.locator("input[name=login]").fill(email)
    form.locator("input[name=password]").fill(password)
    form.get_by_role("button").last.click()
    expect(page).not_to_have_url(re.compile(r"/accounts/login/"))


def pasted(page: Page) -> str:
    """Return what was copied last, as another page gets it: ours may not read what people have copied elsewhere."""
    elsewhere = page.context.new_page()
    elsewhere.set_content("<textarea aria-label='Paste here'></textarea>")
    box = elsewhere.get_by_label("Paste here")
    box.press("Control+V")
    text = box.input_value()
    elsewhere.close()
    return text


def axe_violations(page: Page, *rules: str) -> list[str]:
    """Return what axe finds wrong with the page as it stands: a line for each rule, with the elements. Empty is good.

    Args:
        page: the page.
        rules: ask these only; none named: all of them.
    """
    # Evaluated, not added as a script element: the page's content security policy rightly refuses those.
    page.evaluate(AXE.read_text())
    # Without reading the stylesheets once more into styles of its own, which the policy refuses as rightly.
    options = {"preload": False} | ({"runOnly": list(rules)} if rules else {})
    found: list[dict[str, Any]] = page.evaluate("async options => (await axe.run(document, options)).violations", options)
    return [
        f"{rule['id']} ({rule['impact']}): {rule['help']}: " + "; ".join(node["html"][:160] for node in rule["nodes"])
        for rule in found
    ]


def screenshot_path(name: str) -> Path:
    """Return where the picture called `name` of this run goes."""
    folder = Path(os.environ.get("SCREENSHOTS") or ROOT / "var" / "screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{name}.png"


def light_and_dark(page: Page, name: str) -> None:
    """Take a picture of the page as it stands, light and dark."""
    for scheme in ("dark", "light"):
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light", reduced_motion="reduce")
        page.screenshot(path=screenshot_path(f"{name}-{scheme}"))
