"""Cameras and microphones that are forbidden, missing, busy or unplugged: one sentence, one action, and the call goes on."""

import re

from playwright.sync_api import Page, Route, expect

from tests.browser.call import (
    ADA,
    CLEO,
    CUSTOMER,
    EXPERT,
    Call,
    accept,
    ask_for_help,
    both_see_each_other,
    end_session,
    join,
    shows_movement,
)
from tests.browser.conftest import FAKE_DEVICES, FAKE_UI, PHONE, WIDE, OpenElsewhere, OpenPage
from tests.browser.tools import axe_violations, light_and_dark
from tests.conftest import StartServer
from tests.live import LiveServer


def join_each_other(server: LiveServer, open_page: OpenPage, customer: Page, title: str) -> Call:
    """Bring `customer`'s page and an expert with everything into a call; pictures are not waited for."""
    board = open_page(server, EXPERT)
    board.goto("/expert/")
    expect(board.get_by_role("switch", name="Available for requests")).to_be_checked()
    session = ask_for_help(customer, title)
    accept(board, title)
    join(board)
    join(customer)
    return Call(customer=customer, expert=board, session=session)


def test_who_forbids_both_still_joins_is_announced_and_may_allow_them_later(
    server: LiveServer, open_page: OpenPage, open_elsewhere: OpenElsewhere
) -> None:
    customer = open_elsewhere(server, CUSTOMER, without=(FAKE_UI,))
    call = join_each_other(server, open_page, customer, "Not allowed")
    said = customer.locator("[data-notes]").get_by_text(re.compile("camera or microphone"))
    expect(said).to_have_text(re.compile("This page may not use your|The question about your"))
    expect(call.expert.get_by_text(f"{CLEO} has no camera and no microphone")).to_be_visible()
    shows_movement(customer.get_by_label(f"{ADA}'s video"))
    customer.get_by_label(f"Write to {ADA}").fill("I write for now")
    customer.get_by_role("button", name="Send").click()
    expect(call.expert.get_by_text("I write for now")).to_be_visible()

    # Allowed beside the address: nothing is left to press.
    customer.context.grant_permissions(["camera", "microphone"])
    both_see_each_other(call)
    expect(said).to_be_hidden()
    end_session(call.expert)


def test_without_any_device_one_is_told_and_joins(
    server: LiveServer, open_page: OpenPage, open_elsewhere: OpenElsewhere
) -> None:
    customer = open_elsewhere(server, CUSTOMER, without=(FAKE_DEVICES,))
    call = join_each_other(server, open_page, customer, "No devices")
    notes = customer.locator("[data-notes]")
    expect(notes.get_by_text("No camera or microphone was found.")).to_be_visible()
    expect(notes.get_by_role("button", name="Look again")).to_be_visible()
    expect(call.expert.get_by_text(f"{CLEO} has no camera and no microphone")).to_be_visible()
    shows_movement(customer.get_by_label(f"{ADA}'s video"))
    assert axe_violations(customer) == []
    light_and_dark(customer, "room-no-devices")
    customer.set_viewport_size(PHONE)
    light_and_dark(customer, "room-no-devices-phone")
    customer.set_viewport_size(WIDE)
    light_and_dark(call.expert, "room-other-without")
    end_session(call.expert)


def test_a_page_the_policy_keeps_devices_from_says_so(server: LiveServer, open_page: OpenPage) -> None:
    page = open_page(server, EXPERT)

    def forbid(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, headers={**answer.headers, "permissions-policy": "camera=(), microphone=()"})

    page.route("**/expert/check/", forbid)
    page.goto("/expert/check/")
    expect(page.get_by_text("does not let this page use a camera or microphone.")).to_be_visible()
    light_and_dark(page, "check-policy")
    page.get_by_role("button", name="Copy the address").click()
    expect(page.get_by_text(re.compile("The address is"))).to_be_visible()
    assert axe_violations(page) == []


def test_an_insecure_address_leads_to_the_secure_one(start_server: StartServer, open_elsewhere: OpenElsewhere) -> None:
    server = start_server(ALLOWED_HOSTS="hopps.test,127.0.0.1,localhost")
    page = open_elsewhere(server, EXPERT, flags=("--host-resolver-rules=MAP hopps.test 127.0.0.1",))
    address = f"http://hopps.test:{server.port}"
    page.context.add_cookies([{**cookie, "domain": "hopps.test"} for cookie in page.context.cookies()])  # type: ignore[typeddict-item]
    page.goto(f"{address}/expert/check/")
    page.get_by_role("button", name="Check camera and microphone").click()
    expect(page.get_by_text("This address is not secure, and browsers keep the camera or microphone")).to_be_visible()
    with page.expect_request(lambda request: request.url.startswith("https://hopps.test")):
        page.get_by_role("button", name="Open the secure page").click()


def test_a_busy_camera_starts_once_it_is_free(server: LiveServer, open_page: OpenPage) -> None:
    page = open_page(server, EXPERT)
    # No two programs can be had to fight over a fake camera: the browser's answer is put in its place.
    page.add_init_script("""
        const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
        window.busy = true;
        navigator.mediaDevices.getUserMedia = async (wanted) => {
          if (window.busy && wanted.video) throw new DOMException("", "NotReadableError");
          return open(wanted);
        };
    """)
    page.goto("/expert/check/")
    expect(page.get_by_text("Another program is using your camera.")).to_be_visible()
    page.evaluate("window.busy = false")
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_text("Another program is using your camera.")).to_be_hidden()
    shows_movement(page.get_by_label("Your own picture"))


def test_joining_with_chat_only_asks_for_no_device_until_it_is_wanted(server: LiveServer, open_page: OpenPage) -> None:
    customer, board = open_page(server, CUSTOMER, permissions=[]), open_page(server, EXPERT)
    customer.add_init_script("""
        window.asked = 0;
        const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
        navigator.mediaDevices.getUserMedia = (wanted) => { window.asked += 1; return open(wanted); };
    """)
    board.goto("/expert/")
    expect(board.get_by_role("switch", name="Available for requests")).to_be_checked()
    call = Call(customer=customer, expert=board, session=ask_for_help(customer, "Only writing"))
    accept(board, "Only writing")
    join(board)
    light_and_dark(customer, "lobby")
    customer.get_by_role("button", name="Join with chat only").click()
    expect(board.get_by_text(f"{CLEO} has no camera and no microphone, and writes in the chat.")).to_be_visible()
    shows_movement(customer.get_by_label(f"{ADA}'s video"))
    customer.reload()
    shows_movement(customer.get_by_label(f"{ADA}'s video"))
    assert customer.evaluate("window.asked") == 0

    customer.get_by_role("button", name="Turn camera on").click()
    both_see_each_other(call)
    expect(board.get_by_text("has no camera")).to_be_hidden()
    end_session(board)


UNPLUG = """source => {
    const own = document.querySelector("[data-own]").srcObject.getVideoTracks()[0];
    const track = source === "camera" ? own : window.microphone;
    // What the browser does where a device goes: the track is over, and says so. A headless one has nothing to pull out.
    track.stop();
    track.dispatchEvent(new Event("ended"));
}"""
KEEP_MICROPHONE = """
    const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
    navigator.mediaDevices.getUserMedia = async (wanted) => {
      const stream = await open(wanted);
      window.microphone = stream.getAudioTracks()[0] ?? window.microphone;
      return stream;
    };
"""


def test_devices_are_changed_in_the_call_and_unplugged_ones_replaced_without_a_new_offer(
    server: LiveServer, open_page: OpenPage, open_elsewhere: OpenElsewhere
) -> None:
    # The second of Chromium's fake cameras is a depth camera; the third is one like the first.
    three = f"{FAKE_DEVICES}=display-media-type=browser,fps=10,device-count=3"
    allowed = ["camera", "microphone"]
    customer = open_elsewhere(server, CUSTOMER, without=(FAKE_DEVICES,), flags=(three,), permissions=allowed)
    customer.add_init_script(KEEP_MICROPHONE)
    sent: list[str] = []
    customer.on("websocket", lambda socket: socket.on("framesent", lambda frame: sent.append(str(frame))))
    call = join_each_other(server, open_page, customer, "Other camera")
    both_see_each_other(call)
    sent.clear()
    customer.get_by_role("button", name="Devices").click()
    picker = customer.get_by_role("dialog").locator("select[data-picker=camera]")
    third = picker.locator("option", has_text="fake_device_2")
    picker.select_option(third.get_attribute("value"))
    shown = "() => document.querySelector('[data-own]').srcObject?.getVideoTracks()[0]?.label"
    customer.wait_for_function(f"() => ({shown})()?.includes('fake_device_2')")
    customer.get_by_role("button", name="Done").click()
    both_see_each_other(call)

    for source in ("camera", "microphone"):
        customer.evaluate(UNPLUG, source)
        expect(customer.locator("[data-notes]").get_by_text(f"Your {source} is gone")).to_be_visible()
    both_see_each_other(call)
    expect(call.expert.get_by_text("microphone off")).to_have_count(1)
    expect(call.expert.locator("[data-other-muted]")).to_be_hidden()
    assert not any('"description"' in frame for frame in sent), "A change of devices negotiated the connection again."

    # The choice is remembered in this browser.
    customer.reload()
    customer.wait_for_function(f"() => ({shown})()?.includes('fake_device_2')")
    end_session(call.expert)
