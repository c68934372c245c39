"""A real Chromium with a fake camera and microphone, and pages in it signed in as whoever the test needs."""

import re
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Error, Page, ViewportSize, expect, sync_playwright

from script.lib.processes import HOST, ServerProcess, free_port
from tests.browser.tools import AUTOPLAY, CHROMIUM_FLAGS, chromium_path, screenshot_path, sign_in
from tests.browser.violations import Violations
from tests.live import ROOT, LiveServer

OpenPage = Callable[..., Page]
OpenElsewhere = Callable[..., Page]

WIDE: ViewportSize = {"width": 1280, "height": 900}
PHONE: ViewportSize = {"width": 390, "height": 844}
# Milliseconds; long enough for a loaded machine. Every wait ends as soon as its condition holds.
PATIENCE = 30_000
# Flags of Chromium that a test may want to do without.
FAKE_UI = "--use-fake-ui-for-media-stream"
FAKE_DEVICES = "--use-fake-device-for-media-stream"

_pages: list[Page] = []


# Ends with this folder's last test, not with the run: while Playwright is up, this thread counts as inside an event loop,
# and Django's ORM refuses to work there. Tests in this folder reach the database through the server alone.
@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Chromium, started once."""
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=[*CHROMIUM_FLAGS, AUTOPLAY])
        yield browser
        browser.close()


@pytest.fixture(autouse=True)
def violations() -> Iterator[Violations]:
    """The Content-Security-Policy holds: whatever it stops in any test here fails that test."""
    violations = Violations()
    yield violations
    assert violations.found() == [], "The policy stopped something."


@pytest.fixture
def open_page(browser: Browser, violations: Violations) -> Iterator[OpenPage]:
    """Open pages, each in a browser context of its own (its own cookies), closed after the test.

    `open_page(server, "customer@demo.test", viewport=PHONE, color_scheme="dark", permissions=[])`: signed in when a person
    is named; further arguments are Playwright's for contexts. A script error in any of them fails the test.
    """
    contexts: list[BrowserContext] = []
    problems: list[str] = []

    def open_one(server: LiveServer, person: str | None = None, **options: Any) -> Page:
        options = {"base_url": server.url, "viewport": WIDE, "permissions": ["camera", "microphone"], **options}
        context = browser.new_context(**options)
        contexts.append(context)
        violations.listen_in(context)
        violations.read_log_of(server)
        page = context.new_page()
        _pages.append(page)
        page.on("pageerror", lambda error: problems.append(f"{page.url}: {error}"))
        if person is not None:
            sign_in(page, server, person)
        return page

    yield open_one
    for context in contexts:
        context.close()
    _pages.clear()
    assert not problems, "Scripts failed in the page:\n" + "\n".join(problems)


@pytest.fixture
def open_elsewhere(browser: Browser, violations: Violations) -> Iterator[OpenElsewhere]:
    """Open pages in Chromiums of their own, one each.

    `open_elsewhere(server, person, without=[FAKE_UI], flags=[…], **context)`: without the flags named, with others.
    """
    browsers: list[Browser] = []

    def open_one(
        server: LiveServer, person: str, *, without: tuple[str, ...] = (), flags: tuple[str, ...] = (), **options: Any
    ) -> Page:
        kept = [flag for flag in CHROMIUM_FLAGS if not flag.startswith(without)] if without else CHROMIUM_FLAGS
        own = browser.browser_type.launch(executable_path=chromium_path(), args=[*kept, AUTOPLAY, *flags])
        browsers.append(own)
        context = own.new_context(**{"base_url": server.url, "viewport": WIDE, **options})
        violations.listen_in(context)
        violations.read_log_of(server)
        page = context.new_page()
        _pages.append(page)
        sign_in(page, server, person)
        return page

    yield open_one
    for own in browsers:
        own.close()
    _pages.clear()


@pytest.fixture
def window(browser: Browser, tmp_path: Path, violations: Violations) -> Iterator[BrowserContext]:
    """A window of a Chromium of its own, one empty tab in it, as people have it: sound is locked until a click, and what
    stands behind another tab is hidden.

    In Playwright's own browser every tab believes to be in front. A script error in any of its tabs fails the test.
    """
    port = free_port()
    profile = ["--headless", "--no-first-run", f"--user-data-dir={tmp_path / 'profile'}", f"--remote-debugging-port={port}"]
    process = ServerProcess(
        [chromium_path(), *CHROMIUM_FLAGS, *profile, "about:blank"],
        url=f"http://{HOST}:{port}/json/version",
        log=tmp_path / "chromium.log",
        environment={},
        folder=ROOT,
    )
    process.start()
    problems: list[str] = []
    try:
        own = browser.browser_type.connect_over_cdp(f"http://{HOST}:{port}", no_defaults=True)
        window = own.contexts[0]
        violations.listen_in(window)
        window.on("weberror", lambda error: problems.append(str(error.error)))
        yield window
        own.close()
    finally:
        process.stop()
    assert not problems, "Scripts failed in the page:\n" + "\n".join(problems)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """When a test fails, keep a picture of every open page, and nothing that the next would stumble over."""
    report = yield
    if report.failed and call.when == "call":
        for number, page in enumerate(_pages, start=1):
            path = screenshot_path(f"failed-{re.sub(r'[^A-Za-z0-9_]+', '-', item.name)}-{number}")
            try:
                page.screenshot(path=path)
            except Error as problem:
                report.sections.append((f"page {number}", f"no picture: {problem}"))
            else:
                report.sections.append((f"page {number}", f"{page.url}\n{path}"))
        server = item.funcargs.get("server") if isinstance(item, pytest.Function) else None
        if isinstance(server, LiveServer):
            server.mend()
    return report
