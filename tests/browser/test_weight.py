"""What the room weighs on the wire, by Chromium's own count, headers included."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.staticfiles.storage import staticfiles_storage
from django.templatetags.static import static
from playwright.sync_api import Page

from hopps.npm_files import TWILIO_VIDEO
from tests.browser.call import both_see_each_other, end_session, start_call
from tests.browser.conftest import OpenPage
from tests.live import LiveServer

# Bytes: of everything a room needs that goes between the two browsers (issue 5).
LIMIT = 80_000
# What a browser makes of a stylesheet: its rules, as it writes them itself; tokens alone it leaves as they were written.
RULES = """text => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(text);
  return [...sheet.cssRules].map(rule => rule.cssText.replaceAll(/\\s*,\\s*/g, ', '));
}"""
SDK = TWILIO_VIDEO.removesuffix(".js")


@contextmanager
def weighed(page: Page) -> Iterator[dict[str, int]]:
    """Count what the page fetches inside the `with`, as if for the first time: bytes by path."""
    paths: dict[str, str] = {}
    weights: dict[str, int] = {}
    wire = page.context.new_cdp_session(page)
    wire.on(
        "Network.responseReceived", lambda event: paths.update({event["requestId"]: urlsplit(event["response"]["url"]).path})
    )
    wire.on(
        "Network.loadingFinished",
        lambda event: weights.update(
            {paths[event["requestId"]]: event["encodedDataLength"]} if event["requestId"] in paths else {}
        ),
    )
    wire.send("Network.enable")
    wire.send("Network.setCacheDisabled", {"cacheDisabled": True})
    yield weights
    wire.detach()


def heaviest_first(weights: dict[str, int]) -> str:
    """Return a table of what was fetched, for whoever has to make it lighter."""
    return "\n".join(f"{weight:>8} {path}" for path, weight in sorted(weights.items(), key=lambda item: -item[1]))


def test_a_room_between_the_browsers_weighs_under_80_kb_and_no_sdk_is_fetched(
    server: LiveServer, open_page: OpenPage
) -> None:
    call = start_call(server, open_page, "Weighed")
    with weighed(call.customer) as weights:
        call.customer.reload()
        both_see_each_other(call)
    assert any(path.startswith("/sessions/") for path in weights), weights
    assert any("/js/room/main" in path for path in weights), weights
    print(f"{sum(weights.values())} bytes:\n{heaviest_first(weights)}")
    assert not any(SDK in path for path in weights)
    assert sum(weights.values()) < LIMIT, f"{sum(weights.values())} bytes:\n{heaviest_first(weights)}"
    end_session(call.expert)


def test_a_stylesheet_made_lighter_says_the_same(server: LiveServer, open_page: OpenPage) -> None:
    page = open_page(server)
    page.goto("/")
    for name in ("css/hopps.css", "css/admin.css"):
        served = Path(staticfiles_storage.path(static(name).removeprefix("/static/")))
        light, source = served.read_text(), (settings.BASE_DIR / "static" / name).read_text()
        assert len(light) < len(source)
        rules = page.evaluate(RULES, source)
        assert len(rules) > 5
        assert page.evaluate(RULES, light) == rules
