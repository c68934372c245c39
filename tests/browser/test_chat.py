"""The chat as people use it: files by clipboard, drop and button, typing seen, and all of it on the receipt."""

import re
from typing import Any

import pytest
from playwright.sync_api import FilePayload, Locator, Page, Route, expect

from tests.browser.call import ADA, CLEO, CUSTOMER, Call, accept, ask_for_help, end_session, join, start_call
from tests.browser.conftest import PHONE, OpenPage
from tests.browser.tools import axe_violations, screenshot_path
from tests.live import LiveServer
from tests.sessions_app.files_world import PNG, png

PICTURE = png(320, 200)
# Puts a picture into the browser's real clipboard, with words beside it or without.
COPY = """async ([bytes, words]) => {
    const picture = new Blob([new Uint8Array(bytes)], {type: "image/png"});
    const parts = {"image/png": picture, ...(words ? {"text/plain": new Blob([words], {type: "text/plain"})} : {})};
    await navigator.clipboard.write([new ClipboardItem(parts)]);
}"""
HOLD = """([bytes, name, kind]) => {
    const held = new DataTransfer();
    held.items.add(new File([new Uint8Array(bytes)], name, {type: kind}));
    return held;
}"""
TRICKY = [
    'Plain, with <b>no</b> markup & "quotes"',
    "before\n```python\nif a < b:\n    print('x')\n```\nafter",
    "see https://a.example/x?y=1&z=(2). And `a < b`, then (http://b.example/).",
    "an open ``` fence\nto the end",
    "javascript:alert(1) and data:text/html,x",
]


def open_chat(page: Page) -> Locator:
    """Return the chat, opened."""
    toggle = page.locator("[data-chat-toggle]")
    if toggle.get_attribute("aria-expanded") != "true":
        toggle.click()
    return page.get_by_role("complementary", name="Chat")


def write(page: Page, words: str) -> None:
    box = page.locator("#chat-box")
    box.fill(words)
    page.get_by_role("button", name="Send", exact=True).click()


def attach(page: Page, *files: FilePayload) -> None:
    """Choose files, as the browser's own dialog does that the button opens."""
    page.locator("#chat-box").locator("xpath=ancestor::form").locator("input[type=file]").set_input_files(list(files))


def drop(page: Page, where: str, content: bytes, name: str, kind: str) -> None:
    """Drop a file on the element at `where`."""
    held = page.evaluate_handle(HOLD, [list(content), name, kind])
    for event in ("dragenter", "dragover", "drop"):
        page.dispatch_event(where, event, {"dataTransfer": held})


def paste(page: Page, words: str = "") -> None:
    """Paste a picture into the chat's box, as Control+V does."""
    page.bring_to_front()
    page.evaluate(COPY, [list(PICTURE), words])
    page.locator("#chat-box").focus()
    page.keyboard.press("Control+V")


def shows_picture(chat: Locator, name: str) -> None:
    """Wait until the picture called `name` is shown and loaded."""
    picture = chat.get_by_role("img", name=name)
    expect(picture).to_be_visible()
    picture.evaluate("image => image.decode()")
    assert picture.evaluate("image => image.naturalWidth") == 320


def file(name: str, content: bytes, kind: str = "text/plain") -> FilePayload:
    return {"name": name, "mimeType": kind, "buffer": content}


@pytest.fixture
def call(server: LiveServer, open_page: OpenPage) -> Call:
    call = start_call(server, open_page, "Files")
    for page in (call.customer, call.expert):
        open_chat(page)
    return call


def test_files_come_by_clipboard_drop_and_button_and_the_other_opens_them(call: Call) -> None:
    sender, other = call.customer, call.expert
    chat, address = open_chat(other), sender.url
    sender.context.grant_permissions(["camera", "microphone", "clipboard-read", "clipboard-write"])

    paste(sender)
    shows_picture(chat, "image.png")
    # Beside the box: on the other's video.
    drop(sender, "[data-stage]", b"id,name\n1,Ada\n", "people.csv", "text/csv")
    card = chat.get_by_role("link", name=re.compile("people.csv"))
    expect(card).to_contain_text("14 bytes")
    attach(sender, file("shot.png", PICTURE, "image/png"), file("page.html", b"<script>document.title = 'run'</script>"))
    shows_picture(chat, "shot.png")
    expect(chat.get_by_role("link", name=re.compile("page.html"))).to_be_visible()
    assert sender.url == address
    expect(sender.get_by_role("list", name="Files on their way")).to_be_hidden()

    with other.expect_download() as download:
        card.click()
    assert download.value.suggested_filename == "people.csv"
    assert download.value.path().read_bytes() == b"id,name\n1,Ada\n"
    with other.expect_download() as page:
        chat.get_by_role("link", name=re.compile("page.html")).click()
    assert page.value.suggested_filename == "page.html"
    with other.expect_popup() as picture:
        chat.get_by_role("img", name="shot.png").click()
    expect(picture.value.locator("img")).to_be_visible()
    picture.value.close()

    # A copied table comes as words and as a picture of them: the words are meant.
    paste(sender, "1\t2")
    expect(sender.locator("#chat-box")).to_have_value("1\t2")
    expect(open_chat(sender).get_by_role("img", name="image.png")).to_have_count(1)

    # After a reload it is all there, and so it is on the receipt, for both.
    sender.reload()
    expect(open_chat(sender).get_by_role("link", name=re.compile("people.csv"))).to_be_visible()
    end_session(other)
    for page_of in (sender, other):
        expect(page_of.get_by_text("Receipt", exact=True)).to_be_visible()
        shows_picture(page_of.locator("main"), "shot.png")
        expect(page_of.get_by_role("link", name=re.compile("people.csv"))).to_be_visible()
        assert axe_violations(page_of) == []
    with sender.expect_download() as text:
        sender.get_by_role("link", name="Download chat").click()
    assert f"{CLEO} (customer)\n    File: people.csv (14 bytes)" in text.value.path().read_text()


def test_what_cannot_be_sent_says_why_and_what_was_cut_off_is_sent_again(call: Call) -> None:
    sender, chat = call.customer, open_chat(call.expert)
    tray = sender.get_by_role("list", name="Files on their way")

    attach(sender, file("film.txt", b"x" * (10 * 1024 * 1024 + 1)))
    expect(tray).to_contain_text("larger than 10 MB, the most that can be sent")
    expect(tray.get_by_role("button", name="Try again: film.txt")).to_be_hidden()
    tray.get_by_role("button", name="Remove film.txt").click()
    expect(tray).to_be_hidden()
    expect(sender.locator("#chat-box")).to_be_focused()

    attach(sender, file("tool.exe", b"MZ\x90\0\x03"))
    expect(tray).to_contain_text("A file of this kind cannot be sent here.")
    tray.get_by_role("button", name="Remove tool.exe").click()

    def cut(route: Route) -> None:
        route.abort("connectionreset")

    sender.route("**/files/", cut)
    attach(sender, file("log.txt", b"all of it"))
    expect(tray).to_contain_text("The connection is gone")
    assert axe_violations(sender) == []
    sender.unroute("**/files/", cut)
    tray.get_by_role("button", name="Try again: log.txt").click()
    expect(chat.get_by_role("link", name=re.compile("log.txt"))).to_be_visible()
    expect(tray).to_be_hidden()

    # The answer is lost, the file is not: the next try finds it there.
    def lose(route: Route) -> None:
        route.fetch()
        route.abort("connectionreset")

    sender.route("**/files/", lose)
    attach(sender, file("twice.txt", b"once"))
    expect(tray).to_contain_text("The connection is gone")
    sender.unroute("**/files/", lose)
    tray.get_by_role("button", name="Try again: twice.txt").click()
    expect(tray).to_be_hidden()
    expect(chat.get_by_role("link", name=re.compile("twice.txt"))).to_have_count(1)

    # Neither answered nor refused: it is under way for as long as it takes.
    sender.route("**/files/", lambda route: None)
    attach(sender, file("one.txt", b"one"), file("two.txt", b"two"))
    expect(tray.get_by_role("listitem")).to_have_count(2)
    tray.get_by_role("button", name="Cancel sending two.txt").click()
    tray.get_by_role("button", name="Cancel sending one.txt").click()
    expect(tray).to_be_hidden()
    write(sender, "Never mind")
    expect(chat.get_by_text("Never mind")).to_be_visible()
    expect(chat.get_by_role("link", name=re.compile("one.txt|two.txt"))).to_have_count(0)
    end_session(call.expert)


def test_typing_is_seen_until_the_line_comes_or_nothing_does(call: Call) -> None:
    typing = call.expert.get_by_text(f"{CLEO} is typing…")
    call.customer.locator("#chat-box").press_sequentially("I thi")
    expect(typing).to_be_visible()
    call.customer.keyboard.press("Enter")
    expect(call.expert.get_by_text("I thi", exact=True)).to_be_visible()
    expect(typing).to_be_hidden()
    call.customer.locator("#chat-box").press_sequentially("nk")
    expect(typing).to_be_visible()
    expect(typing).to_be_hidden()
    # One is not told of one's own.
    expect(call.customer.get_by_text("is typing…")).to_have_count(0)
    end_session(call.expert)


def test_the_receipt_shows_each_line_as_the_room_did(call: Call) -> None:
    for words in TRICKY:
        write(call.customer, words)
    lines = call.expert.locator(".chat-line")
    expect(lines).to_have_count(len(TRICKY))
    # Without who and when.
    inside = "(lines) => lines.map((line) => [...line.children].slice(1).map((part) => part.outerHTML).join(''))"
    in_room = lines.evaluate_all(inside)
    end_session(call.expert)
    expect(call.expert.locator(".chat-kept")).to_have_count(len(TRICKY))
    assert call.expert.locator(".chat-kept").evaluate_all(inside) == in_room


def test_a_line_is_announced_once_also_after_the_connection_came_back(server: LiveServer, call: Call) -> None:
    write(call.customer, "Said once")
    expect(call.expert.get_by_text("Said once")).to_be_visible()
    call.expert.evaluate("""() => {
        window.added = [];
        new MutationObserver((changes) => added.push(...changes.flatMap((change) => [...change.addedNodes])))
            .observe(document.querySelector("[data-chat-lines]"), {childList: true});
    }""")
    server.kill()
    server.start_again()
    write(call.customer, "And then this")
    expect(call.expert.get_by_text("And then this")).to_be_visible()
    assert call.expert.evaluate("added.length") == 1
    end_session(call.customer)


def test_a_file_dropped_before_the_call_opens_nothing(server: LiveServer, open_page: OpenPage) -> None:
    customer, board = open_page(server, CUSTOMER), open_page(server, "expert@demo.test")
    board.goto("/expert/")
    expect(board.get_by_role("switch", name="Available for requests")).to_be_checked()
    address = ask_for_help(customer, "Dropped early")
    accept(board, "Dropped early")
    expect(customer.get_by_role("button", name="Join call")).to_be_visible()
    answers: list[Any] = []
    customer.on("request", lambda request: answers.append(request.url))
    held = customer.evaluate_handle(HOLD, [list(PNG), "a.png", "image/png"])
    prevented = """([held]) => ["dragover", "drop"].map((kind) => !document.querySelector("h1").dispatchEvent(
        new DragEvent(kind, {dataTransfer: held, bubbles: true, cancelable: true})))"""
    assert customer.evaluate(prevented, [held]) == [True, True]
    assert customer.url == address
    assert [url for url in answers if "/files/" in url] == []
    join(board)
    join(customer)
    end_session(board)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_phone_it_fits_and_axe_finds_nothing(server: LiveServer, open_page: OpenPage, scheme: str) -> None:
    call = start_call(server, open_page, f"Small {scheme}")
    phone = open_page(server, CUSTOMER, viewport=PHONE, color_scheme=scheme)
    phone.goto(call.session)
    join(phone)
    chat = open_chat(phone)
    write(phone, "Look at this:\n```python\n" + "a_very_long_name = " * 8 + "\n```")
    # Lines come in the order in which they reach the server, and files go another way.
    expect(chat.get_by_text("Look at this:")).to_be_visible()
    expect(chat.get_by_text("sending…")).to_have_count(0)
    attach(phone, file("shot.png", PICTURE, "image/png"), file("a-name-" + "that-goes-on-" * 8 + ".csv", b"x" * 34_000))
    shows_picture(chat, "shot.png")
    expect(chat.get_by_role("link", name=re.compile("that-goes-on"))).to_be_visible()
    # What was said last stays in view, until somebody scrolls back. A line grows, as by a font that comes late, and only now
    # the browser tells of an earlier scrolling:
    newest = chat.get_by_role("link", name=re.compile("that-goes-on"))
    lines = chat.locator("[data-chat-lines]")
    lines.evaluate("lines => { lines.children[0].style.paddingBottom = '500px'; lines.dispatchEvent(new Event('scroll')); }")
    expect(newest).to_be_in_viewport(ratio=0.9)
    # The keyboard comes up:
    phone.set_viewport_size({"width": PHONE["width"], "height": 700})
    expect(newest).to_be_in_viewport(ratio=0.9)
    lines.evaluate("lines => { lines.scrollTop = 0; }")
    write(call.expert, "Do you see it?")
    expect(lines.get_by_text("Do you see it?")).to_have_count(1)
    expect(newest).not_to_be_in_viewport()
    phone.set_viewport_size(PHONE)
    phone.route("**/files/", lambda route: route.abort("connectionreset"))
    attach(phone, file("log.txt", b"words"))
    expect(chat.get_by_text("The connection is gone")).to_be_visible()
    assert axe_violations(phone) == []
    assert phone.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    for button in chat.get_by_role("button").all():
        box = button.bounding_box()
        assert box is not None
        assert (box["width"], box["height"]) >= (44, 44), button.inner_html()
    phone.screenshot(path=screenshot_path(f"chat-phone-{scheme}"))
    end_session(call.expert)


def test_a_chat_by_keyboard(call: Call) -> None:
    page = call.customer
    # Before anything else: a chooser that opens while the browser is only being told of the interest is never heard of.
    page.on("filechooser", lambda chooser: chooser.set_files([file("keys.txt", b"x")]))
    page.locator("#chat-box").focus()
    page.keyboard.press("Shift+Tab")
    expect(page.get_by_role("button", name="Attach a file")).to_be_focused()
    page.keyboard.press("Enter")
    expect(call.expert.get_by_role("link", name=re.compile("keys.txt"))).to_be_visible()
    call.expert.get_by_label(f"Write to {CLEO}").fill("Got it")
    call.expert.keyboard.press("Enter")
    expect(page.get_by_role("complementary", name="Chat").get_by_text("Got it")).to_be_visible()
    assert page.locator("[data-chat-lines]").get_attribute("aria-live") == "polite"
    expect(page.get_by_label(f"Write to {ADA}")).to_be_visible()
    page.screenshot(path=screenshot_path("chat-wide-light"))
    end_session(call.expert)
