"""A release is switched behind the stack's Caddy while a browser is at it: on its open line no request fails."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.conftest import StartServer
from tests.live import LiveServer
from tests.peers.caddy import Caddy

SWITCHES = 3
# Four at a time, for as long as it takes; a request that fails is written down and ends nothing.
VISIT = """() => {
  window.seen = {one: 0, two: 0};
  window.failed = [];
  const visit = async () => {
    while (!window.enough) {
      try {
        const answer = await fetch('/healthz', {cache: 'no-store'});
        window.seen[(await answer.json()).release] += 1;
      } catch (problem) {
        window.failed.push(String(problem));
      }
    }
  };
  window.visitors = [visit(), visit(), visit(), visit()];
}"""
END = """async () => {
  window.enough = true;
  await Promise.all(window.visitors);
  return [window.failed, performance.getEntriesByType('resource').at(-1).nextHopProtocol];
}"""


@pytest.fixture(scope="module")
def caddy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Caddy]:
    """Caddy, which nobody stands behind yet."""
    caddy = Caddy(tmp_path_factory.mktemp("caddy"))
    yield caddy
    caddy.stop()


@pytest.fixture(scope="module")
def releases(start_server: StartServer, caddy: Caddy) -> tuple[LiveServer, LiveServer]:
    """Two releases on one database; Caddy sends people to the first."""
    one = start_server(HOPPS_RELEASE="one", **caddy.settings)
    two = start_server(beside=one, HOPPS_RELEASE="two", **caddy.settings)
    caddy.start(one.port)
    return one, two


def test_no_request_of_an_open_page_fails(browser: Browser, caddy: Caddy, releases: tuple[LiveServer, LiveServer]) -> None:
    one, two = releases
    # Its authority is known to nobody.
    with browser.new_context(ignore_https_errors=True) as context:
        page = context.new_page()
        page.goto(caddy.url)
        page.evaluate(VISIT)
        for _ in range(SWITCHES):
            for server, release in ((two, "two"), (one, "one")):
                caddy.switch(server.port)
                before = page.evaluate("release => window.seen[release]", release)
                page.wait_for_function("([release, before]) => window.seen[release] > before", arg=[release, before])
        failed, protocol = page.evaluate(END)

    assert failed == []
    assert protocol == "h2"
