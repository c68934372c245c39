"""The two calls that are measured, each from "both are ready, one has joined" to the first pictures of the other side.

The second join is the click on "Join call" of the page that comes second. In both calls both pages are loaded, their sockets
open, camera and microphone running as people have them after the device check, and the first page has joined. The call is
there when *both* pages have shown a picture of the other.
"""

from dataclasses import dataclass

from playwright.sync_api import Browser, Page, expect

from tests.browser.call import CUSTOMER, EXPERT, accept, ask_for_help, end_session, join
from tests.browser.tools import sign_in
from tests.live import LiveServer

# Notes the moment, in milliseconds of a clock that all pages of a machine share, at which a video shows its first picture.
WATCH = """video => {
    window.firstPicture = null;
    video.requestVideoFrameCallback(() => { window.firstPicture = performance.timeOrigin + performance.now(); });
}"""
# The same for the click: before any handler of the page's own has run.
WATCH_CLICK = """() => {
    window.clicked = null;
    const note = () => { window.clicked = performance.timeOrigin + performance.now(); };
    addEventListener("click", note, { capture: true, once: true });
}"""


def _time(first: Page, second: Page, video: str) -> float:
    """Click the second page's "Join call"; return the milliseconds until both pages showed the other's first picture."""
    for page in (first, second):
        page.locator(video).evaluate(WATCH)
    second.evaluate(WATCH_CLICK)
    second.get_by_role("button", name="Join call").click()
    for page in (first, second):
        page.wait_for_function("window.firstPicture !== null")
    pictures = [float(page.evaluate("window.firstPicture")) for page in (first, second)]
    return max(pictures) - float(second.evaluate("window.clicked"))


@dataclass
class Bare:
    """The least that makes a call."""

    first: Page
    second: Page
    url: str

    @classmethod
    def open(cls, browser: Browser, url: str) -> "Bare":
        first, second = (browser.new_context(permissions=["camera", "microphone"]).new_page() for _ in range(2))
        return cls(first, second, url)

    def time(self, number: int) -> float:
        """Make call `number`; return how long it took, in milliseconds."""
        for page in (self.first, self.second):
            page.goto(f"{self.url}/?{number}")
            expect(page.locator("html")).to_have_attribute("data-ready", "yes")
        took = _time(self.first, self.second, "#remote")
        for page in (self.first, self.second):
            page.goto("about:blank")
        return took


@dataclass
class Ours:
    """A session of Hopps: asked, accepted, the expert waits in the room, the customer joins."""

    expert: Page
    customer: Page

    @classmethod
    def open(cls, browser: Browser, server: LiveServer) -> "Ours":
        pages = []
        for person in (EXPERT, CUSTOMER):
            context = browser.new_context(base_url=server.url, permissions=["camera", "microphone"])
            pages.append(context.new_page())
            sign_in(pages[-1], server, person)
        return cls(*pages)

    def time(self, number: int) -> float:
        """Make call `number`; return how long it took, in milliseconds."""
        title = f"Call {number}"
        self.expert.goto("/expert/")
        expect(self.expert.get_by_role("switch", name="Available for requests")).to_be_checked()
        ask_for_help(self.customer, title)
        accept(self.expert, title)
        join(self.expert)
        expect(self.customer.locator("[data-lobby]").get_by_text("is in the room.")).to_be_visible()
        # The device check has the camera running.
        self.customer.wait_for_function("document.querySelector('[data-preview]').videoWidth > 0")
        self.expert.wait_for_function("document.querySelector('[data-own]').videoWidth > 0")
        took = _time(self.expert, self.customer, "[data-remote-camera]")
        end_session(self.customer)
        for page in (self.expert, self.customer):
            page.goto("about:blank")
        return took
