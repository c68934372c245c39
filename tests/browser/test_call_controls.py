"""In the call: what the other side is told, who is large, a weak line, and a phone."""

import re
import time

from playwright.sync_api import Locator, Page, ViewportSize, expect

from tests.browser.call import (
    ADA,
    CLEO,
    CUSTOMER,
    EXPERT,
    Call,
    accept,
    ask_for_help,
    billed_seconds,
    both_see_each_other,
    clock,
    end_session,
    join,
    meet,
    seconds_on,
    shows_movement,
    start_call,
    wait_for_clock,
)
from tests.browser.conftest import FAKE_UI, PHONE, OpenElsewhere, OpenPage
from tests.browser.tools import axe_violations, light_and_dark
from tests.live import LiveServer

ON_ITS_SIDE = ViewportSize(width=PHONE["height"], height=PHONE["width"])
# Keeps every connection the page makes, to ask what its senders were told.
KEEP_CONNECTIONS = """
    window.connections = [];
    const Connection = window.RTCPeerConnection;
    window.RTCPeerConnection = class extends Connection {
      constructor(...setting) { super(...setting); window.connections.push(this); }
    };
"""
SENDERS = """() => window.connections.at(-1).getTransceivers().map(({ sender }) => {
    const { encodings: [encoding], degradationPreference } = sender.getParameters();
    return { ...encoding, degradationPreference };
})"""


def controls_are_in_reach(page: Page) -> None:
    """Fail unless every control can be pressed, is large enough for a thumb, and lies within the window."""
    assert page.viewport_size is not None
    for name in ("Mute microphone", "Turn camera off", "Chat", "Devices", "Pause clock", "End session"):
        control = page.locator(".controls").get_by_role("button", name=name)
        control.click(trial=True)
        box = control.bounding_box()
        assert box is not None, name
        assert min(box["height"], box["width"]) >= 44, name
        assert box["y"] + box["height"] <= page.viewport_size["height"], name


def area(element: Locator) -> float:
    """Return how many pixels an element covers."""
    box = element.bounding_box()
    assert box is not None
    return box["width"] * box["height"]


def test_muting_and_darkening_are_seen_on_the_other_side_and_talking_while_muted_is_noticed(
    server: LiveServer, open_page: OpenPage
) -> None:
    call = start_call(server, open_page, "Muted")
    name = call.expert.locator(".stage-name")
    call.customer.get_by_role("button", name="Mute microphone").click()
    expect(name.get_by_text("microphone off")).to_be_attached()
    expect(call.expert.locator("[data-other-muted] svg")).to_be_visible()
    # Chromium's fake microphone never stops beeping.
    muted = call.customer.get_by_text("You are muted: nobody hears you.")
    expect(muted).to_be_visible()
    light_and_dark(call.customer, "room-muted")
    assert axe_violations(call.customer) == []
    call.customer.locator("[data-notes]").get_by_role("button", name="Unmute").click()
    expect(muted).to_be_hidden()
    expect(call.expert.locator("[data-other-muted]")).to_be_hidden()
    expect(call.customer.get_by_role("button", name="Mute microphone")).to_be_visible()

    call.customer.get_by_role("button", name="Turn camera off").click()
    expect(call.expert.get_by_text(f"{CLEO}'s camera is off.")).to_be_visible()
    expect(call.expert.locator("[data-other-dark] svg")).to_be_visible()
    light_and_dark(call.expert, "room-camera-off")
    # Another camera chosen meanwhile does not switch it on.
    call.customer.get_by_role("button", name="Devices").click()
    picker = call.customer.get_by_role("dialog").locator("select[data-picker=camera]")
    picker.select_option(index=1)
    light_and_dark(call.customer, "room-devices")
    assert axe_violations(call.customer) == []
    call.customer.get_by_role("button", name="Done").click()
    expect(call.customer.get_by_role("button", name="Turn camera on")).to_be_visible()
    call.customer.get_by_role("button", name="Turn camera on").click()
    both_see_each_other(call)
    end_session(call.expert)


def test_both_share_at_once_choose_what_is_large_and_pay_for_the_time_both_were_there(
    server: LiveServer, open_page: OpenPage
) -> None:
    call = start_call(server, open_page, "Both share")
    for page in (call.customer, call.expert):
        page.get_by_role("button", name="Share screen").click()
    pages = ((call.customer, ADA), (call.expert, CLEO))
    for page, other in pages:
        video, screen = page.get_by_label(f"{other}'s video"), page.get_by_label(f"{other}'s screen")
        shows_movement(video)
        shows_movement(screen)
        expect(page.get_by_label("The screen you share")).to_be_visible()
        # A screen that is shared is what the talk is about; the face stays in view, and covers none of it.
        assert area(screen) > 4 * area(video)
    light_and_dark(call.customer, "room-both-share")
    assert axe_violations(call.customer) == []

    video, screen = (call.customer.get_by_label(f"{ADA}'s {what}") for what in ("video", "screen"))
    call.customer.get_by_role("button", name=f"Enlarge the picture of {ADA}").click()
    call.customer.wait_for_function(
        "([one, other]) => one.offsetWidth > 2 * other.offsetWidth", arg=[video.element_handle(), screen.element_handle()]
    )
    shows_movement(video)
    shows_movement(screen)
    # By keyboard: the focus stands on what made room.
    expect(call.customer.get_by_role("button", name=f"Enlarge the screen of {ADA}")).to_be_focused()
    call.customer.keyboard.press("Enter")
    assert area(screen) > 4 * area(video)
    call.customer.get_by_role("button", name="Close chat").click()
    call.customer.set_viewport_size(PHONE)
    shows_movement(screen)
    light_and_dark(call.customer, "room-both-share-phone")
    call.expert.get_by_role("button", name="Stop sharing").click()
    expect(screen).to_be_hidden()
    shows_movement(video)

    # A second has just turned: from here our own watch counts along.
    shown = seconds_on(clock(call.customer).inner_text()) + 1
    wait_for_clock(call.customer, shown)
    turned = time.monotonic()
    call.customer.get_by_role("button", name="End session").first.click()
    least = shown + time.monotonic() - turned
    call.customer.get_by_role("button", name="End and pay").click()
    expect(call.customer.get_by_text("Receipt", exact=True)).to_be_visible()
    most = shown + time.monotonic() - turned
    assert least - 1 <= billed_seconds(call.customer) <= most + 1


def test_a_screen_whose_sharing_ends_outside_the_page_is_gone_on_both_sides(
    server: LiveServer, open_page: OpenPage, open_elsewhere: OpenElsewhere
) -> None:
    allowed = ["camera", "microphone"]
    pick = "--auto-select-tab-capture-source-by-title=The plan"
    customer = open_elsewhere(server, CUSTOMER, without=(FAKE_UI,), flags=(pick,), permissions=allowed)
    board = open_page(server, EXPERT)
    call = meet(customer, board, "Stopped outside")
    plan = customer.context.new_page()
    plan.set_content("<title>The plan</title><p>Seq Scan on orders</p>")
    customer.bring_to_front()
    customer.get_by_role("button", name="Share screen").click()
    screen = board.get_by_label(f"{CLEO}'s screen")
    expect(screen).to_be_visible()
    expect(customer.get_by_label("The screen you share")).to_be_visible()
    # What the browser does on "Stop sharing" in its own bar as well, which a headless one does not show.
    plan.close()
    expect(screen).to_be_hidden()
    expect(customer.get_by_label("The screen you share")).to_be_hidden()
    expect(customer.get_by_role("button", name="Share screen")).to_be_visible()
    both_see_each_other(call)
    end_session(board)


def test_on_a_phone_everything_is_in_reach(server: LiveServer, open_page: OpenPage) -> None:
    phone = open_page(server, CUSTOMER, viewport=PHONE, has_touch=True, is_mobile=True)
    board = open_page(server, EXPERT)
    board.goto("/expert/")
    expect(board.get_by_role("switch", name="Available for requests")).to_be_checked()
    call = Call(customer=phone, expert=board, session=ask_for_help(phone, "On the phone"))
    accept(board, "On the phone")
    join(phone)
    expect(phone.locator(".stage").get_by_text(f"Waiting for {ADA}.")).to_be_visible()
    light_and_dark(phone, "room-alone-phone")
    join(board)
    both_see_each_other(call)
    light_and_dark(phone, "room-phone")
    controls_are_in_reach(phone)
    phone.set_viewport_size(ON_ITS_SIDE)
    shows_movement(phone.get_by_label(f"{ADA}'s video"))
    light_and_dark(phone, "room-phone-on-its-side")
    controls_are_in_reach(phone)
    phone.set_viewport_size(PHONE)
    phone.get_by_role("button", name="Chat", exact=True).click()
    phone.get_by_label(f"Write to {ADA}").fill("From the phone")
    phone.get_by_role("button", name="Send").click()
    expect(board.get_by_text("From the phone")).to_be_visible()
    phone.locator(".controls").get_by_role("button", name="Mute microphone").click(trial=True)
    # The other stays in view while one writes.
    for size in (ON_ITS_SIDE, PHONE):
        phone.set_viewport_size(size)
        shows_movement(phone.get_by_label(f"{ADA}'s video"))
        light_and_dark(phone, f"room-chat-phone-{size['width']}")
    phone.get_by_role("button", name="Close chat").click()
    shows_movement(phone.get_by_label(f"{ADA}'s video"))
    assert axe_violations(phone) == []
    end_session(board)


def test_a_long_title_makes_room_for_the_clock_and_no_label_is_cut_off(server: LiveServer, open_page: OpenPage) -> None:
    call = start_call(server, open_page, "Our nightly import fails with a deadlock since the upgrade to the new database")
    page = call.customer
    page.get_by_role("button", name="Pause clock").click()
    expect(page.get_by_text("paused the clock")).to_be_visible()
    page.set_viewport_size({"width": 1024, "height": 800})
    title, ticking = page.locator(".room-bar h1").bounding_box(), clock(page).bounding_box()
    assert title
    assert ticking
    assert ticking["x"] >= title["x"] + title["width"]
    assert ticking["y"] < title["y"] + title["height"]

    page.get_by_role("button", name="Mute microphone").click()
    for width in (320, 360, 375, 390, 414):
        page.set_viewport_size({"width": width, "height": 667})
        cut = page.locator(".control").evaluate_all(
            "all => all.filter(one => one.scrollWidth > one.clientWidth).map(one => one.title)"
        )
        assert cut == [], width
    end_session(call.expert)


def test_full_screen_and_picture_in_picture_are_there_where_the_browser_has_them(
    server: LiveServer, open_page: OpenPage
) -> None:
    page, board = open_page(server, CUSTOMER), open_page(server, EXPERT)
    # A headless Chromium dies of picture-in-picture: what is asked of it is looked at instead.
    page.add_init_script("""
        HTMLVideoElement.prototype.requestPictureInPicture = async function () { window.inPicture = this.ariaLabel; };
    """)
    board.goto("/expert/")
    expect(board.get_by_role("switch", name="Available for requests")).to_be_checked()
    call = Call(customer=page, expert=board, session=ask_for_help(page, "Larger"))
    accept(board, "Larger")
    join(board)
    join(page)
    both_see_each_other(call)
    page.get_by_role("button", name="Picture-in-picture").click()
    page.wait_for_function("name => window.inPicture === name", arg=f"{ADA}'s video")
    page.get_by_role("button", name="Full screen").click()
    page.wait_for_function("() => document.fullscreenElement?.matches('[data-room]')")
    page.get_by_role("button", name="Mute microphone").click(trial=True)
    page.get_by_role("button", name="Leave full screen").click()
    page.wait_for_function("() => !document.fullscreenElement")
    both_see_each_other(call)
    end_session(page)

    bare = open_page(server, CUSTOMER)
    bare.add_init_script("""
        Object.defineProperty(Document.prototype, "pictureInPictureEnabled", { get: () => false });
        Object.defineProperty(Document.prototype, "fullscreenEnabled", { get: () => false });
    """)
    board.goto("/expert/")
    ask_for_help(bare, "Neither")
    accept(board, "Neither")
    join(bare)
    for name in ("Full screen", "Picture-in-picture"):
        expect(bare.get_by_role("button", name=name)).to_be_hidden()
    bare.get_by_role("button", name="Cancel").first.click()
    bare.get_by_role("dialog").get_by_role("button", name="Cancel request").click()
    expect(bare.get_by_role("link", name="Ask again")).to_be_visible()


def test_the_sound_goes_before_the_picture(server: LiveServer, open_page: OpenPage) -> None:
    customer = open_page(server, CUSTOMER)
    customer.add_init_script(KEEP_CONNECTIONS)
    board = open_page(server, EXPERT)
    board.add_init_script(KEEP_CONNECTIONS)
    board.goto("/expert/")
    expect(board.get_by_role("switch", name="Available for requests")).to_be_checked()
    call = Call(customer=customer, expert=board, session=ask_for_help(customer, "Shares"))
    accept(board, "Shares")
    join(board)
    join(customer)
    both_see_each_other(call)
    for page in (customer, board):
        page.wait_for_function(f"() => ({SENDERS})().every(sender => sender.priority !== undefined && sender.active)")
        page.wait_for_function(f"() => ({SENDERS})()[0].priority === 'high'")
        microphone, camera, screen = page.evaluate(SENDERS)
        assert (microphone["priority"], screen["priority"], camera["priority"]) == ("high", "medium", "low")
        assert camera["maxBitrate"] <= 1_500_000
        assert screen["degradationPreference"] == "maintain-resolution"
    end_session(board)


def test_a_weak_line_lets_the_camera_rest_and_says_so_on_both_sides(server: LiveServer, open_page: OpenPage) -> None:
    customer = open_page(server, CUSTOMER)
    # What the other side reports of this page's packets; no flag of Chromium's makes a line lose them.
    customer.add_init_script("""
        window.lost = 0;
        const read = RTCPeerConnection.prototype.getStats;
        RTCPeerConnection.prototype.getStats = async function () {
          const reports = new Map(await read.call(this));
          reports.set("weak", { type: "remote-inbound-rtp", fractionLost: window.lost });
          return reports;
        };
    """)
    board = open_page(server, EXPERT)
    call = meet(customer, board, "Weak line")
    both_see_each_other(call)
    customer.evaluate("window.lost = 0.2")
    expect(customer.get_by_text("Turn your camera off to keep the sound clear.")).to_be_visible()
    light_and_dark(customer, "room-weak")
    expect(customer.get_by_text("your camera rests")).to_be_visible()
    expect(board.get_by_text(f"{CLEO}'s camera rests, so that the sound stays clear.")).to_be_visible()
    assert axe_violations(customer) == []
    customer.get_by_role("button", name="Send it anyway").click()
    both_see_each_other(call)
    expect(board.get_by_text(re.compile("camera rests"))).to_be_hidden()
    end_session(board)
