"""What journeys through a session share: pages in the room, and what can be seen there."""

import re
from dataclasses import dataclass

from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import OpenPage
from tests.live import LiveServer

CUSTOMER, EXPERT, OPERATOR = "customer@demo.test", "expert@demo.test", "operator@demo.test"
# The demo people's names.
CLEO, ADA = "Cleo Demo", "Ada Demo"
# Whether a video shows more frames than when it was last asked.
FRAMES = "video => video.getVideoPlaybackQuality().totalVideoFrames"


@dataclass
class Call:
    """A session's two pages."""

    customer: Page
    expert: Page
    session: str
    """The session's address."""


def ask_for_help(page: Page, title: str, topic: str = "Python") -> str:
    """Ask as a customer who has a card, and return the session's address."""
    page.goto("/ask/")
    page.get_by_label("What are you stuck on?").fill(title)
    topics = page.get_by_label("Topic")
    topics.select_option(topics.locator("option", has_text=topic).get_attribute("value"))
    page.get_by_role("button", name="Ask for help").click()
    expect(page.get_by_role("heading", name="Looking for an expert")).to_be_visible()
    return page.url


def accept(board: Page, title: str) -> None:
    """Accept the request called `title` on an open board."""
    request = board.get_by_role("listitem").filter(has_text=title)
    request.get_by_role("button", name="Accept").click()
    expect(board.get_by_role("button", name="Join call")).to_be_visible()


def join(page: Page) -> None:
    """Join the call."""
    page.get_by_role("button", name="Join call").click()
    expect(page.get_by_role("button", name="Mute microphone")).to_be_visible()


def meet(customer: Page, board: Page, title: str) -> Call:
    """Have two who are signed in ask, accept and join, whatever their devices are."""
    board.goto("/expert/")
    expect(board.get_by_role("switch", name="Available for requests")).to_be_checked()
    session = ask_for_help(customer, title)
    accept(board, title)
    join(board)
    join(customer)
    return Call(customer=customer, expert=board, session=session)


def start_call(server: LiveServer, open_page: OpenPage, title: str) -> Call:
    """Go from nothing to a call in which both see each other."""
    call = meet(open_page(server, CUSTOMER), open_page(server, EXPERT), title)
    both_see_each_other(call)
    return call


def both_see_each_other(call: Call) -> None:
    """Wait until each side sees the other's picture move."""
    shows_movement(call.customer.get_by_label(f"{ADA}'s video"))
    shows_movement(call.expert.get_by_label(f"{CLEO}'s video"))


def shows_movement(video: Locator) -> None:
    """Wait until `video` is visible and has shown 5 frames more than now."""
    expect(video).to_be_visible()
    before = video.evaluate(FRAMES)
    wait_for_frames(video, before + 5)


def wait_for_frames(video: Locator, count: int) -> None:
    """Wait until `video` has shown `count` frames in all."""
    video.page.wait_for_function(f"([video, count]) => ({FRAMES})(video) >= count", arg=[video.element_handle(), count])


def clock(page: Page) -> Locator:
    """Return the clock."""
    return page.get_by_role("timer")


def seconds_on(text: str) -> int:
    """Return the seconds of a clock's text: "1:05" is 65."""
    seconds = 0
    for part in text.strip().split(":"):
        seconds = seconds * 60 + int(part)
    return seconds


def wait_for_clock(page: Page, seconds: int) -> None:
    """Wait until the clock shows at least `seconds`."""
    page.wait_for_function(
        """([clock, least]) =>
            clock.textContent.trim().split(':').reduce((sum, part) => sum * 60 + Number(part), 0) >= least""",
        arg=[clock(page).element_handle(), seconds],
    )


def clocks_agree(call: Call) -> None:
    """Wait until both clocks run and show the same figure in the same moment.

    The pages are asked one after the other: a second may turn in between, so more than one try is fair; a lasting
    difference never passes.
    """
    for page in (call.customer, call.expert):
        expect(clock(page)).to_have_attribute("data-running", "yes")
    differences = []
    for _ in range(10):
        one, two, three = (clock(page).inner_text() for page in (call.customer, call.expert, call.customer))
        if one == two == three:
            return
        differences.append((one, two, three))
    raise AssertionError(f"The two clocks never showed the same: {differences}")


def end_session(page: Page) -> None:
    """End the session, and wait for the receipt."""
    page.get_by_role("button", name="End session").first.click()
    page.get_by_role("button", name=re.compile("^End( and pay| for both)?$")).click()
    expect(page.get_by_text("Receipt", exact=True)).to_be_visible()


def billed_seconds(page: Page) -> int:
    """Return the seconds a receipt bills for."""
    row = page.locator("dl.bill div").filter(has_text="Time you were both there")
    return seconds_on(row.locator("dd").inner_text())


def money_in(row: Locator) -> int:
    """Return the minor units of the amount a line of the receipt shows: "$1,234.50" is 123450."""
    return int(re.sub(r"\D", "", row.inner_text()))


def let_pass(server: LiveServer, *, minutes: int) -> None:
    """Make the running session `minutes` older than it is."""
    server.manage(
        "shell",
        "-c",
        "from datetime import timedelta; from django.db.models import F; from sessions_app.models import *; "
        f"earlier = timedelta(minutes={minutes}); "
        "HelpSession.objects.filter(state='active').update(active_at=F('active_at') - earlier); "
        "Attendance.objects.update(joined_at=F('joined_at') - earlier)",
    )
