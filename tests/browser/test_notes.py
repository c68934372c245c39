"""The shared notes in two real browsers: both write at once; no reload, cut line or killed server loses a word."""

import re

from playwright.sync_api import Locator, Page, expect

from tests.browser.call import CLEO, Call, end_session, start_call
from tests.browser.conftest import PHONE, OpenPage
from tests.browser.tools import axe_violations, pasted, screenshot_path
from tests.live import LiveServer


def notes_of(page: Page) -> Locator:
    return page.get_by_role("textbox", name="Notes of you and")


def open_notes(call: Call) -> tuple[Locator, Locator]:
    for page in (call.customer, call.expert):
        page.get_by_role("tab", name="Notes").click()
        expect(notes_of(page)).to_be_editable()
    return notes_of(call.customer), notes_of(call.expert)


def is_saved(box: Locator) -> None:
    expect(box).to_have_accessible_description(re.compile("^Saved · "))


def test_two_write_in_one_line_at_once_and_nothing_is_lost(server: LiveServer, open_page: OpenPage) -> None:
    call = start_call(server, open_page, "Two pens")
    cleos, adas = open_notes(call)
    cleos.fill("steps: ")
    expect(adas).to_have_value("steps: ")
    expect(adas).to_have_accessible_description(re.compile(f"^Saved · {CLEO} wrote last, "))

    # Both at the end of the same line, letter by letter, in turns that no answer can keep up with.
    for box in (cleos, adas):
        box.press("End")
    for one, two in zip("index the column", "measure it after", strict=True):
        cleos.press_sequentially(one)
        adas.press_sequentially(two)
    for box in (cleos, adas):
        is_saved(box)
    both = cleos.input_value()
    expect(adas).to_have_value(both)
    # Each one's own words are whole: the caret stays behind what one wrote oneself.
    assert sorted(both) == sorted("steps: index the columnmeasure it after")
    assert "index the column" in both
    assert "measure it after" in both
    end_session(call.expert)


def test_the_caret_stays_and_undo_takes_back_ones_own_words_only(server: LiveServer, open_page: OpenPage) -> None:
    call = start_call(server, open_page, "Carets")
    cleos, adas = open_notes(call)
    cleos.fill("one two")
    expect(adas).to_have_value("one two")
    cleos.evaluate("box => box.setSelectionRange(4, 7)")
    adas.press("Control+Home")
    adas.press_sequentially("zero ")
    expect(cleos).to_have_value("zero one two")
    assert cleos.evaluate("box => box.value.slice(box.selectionStart, box.selectionEnd)") == "two"
    cleos.press_sequentially("2")
    expect(adas).to_have_value("zero one 2")

    cleos.press("Control+z")
    expect(adas).to_have_value("zero one two")
    cleos.press("Control+z")
    expect(adas).to_have_value("zero ")
    cleos.press("Control+Shift+z")
    expect(adas).to_have_value("zero one two")
    end_session(call.expert)


def test_a_cut_line_a_reload_and_a_killed_server_lose_nothing(server: LiveServer, open_page: OpenPage) -> None:
    call = start_call(server, open_page, "Bad line")
    cleos, adas = open_notes(call)
    cleos.fill("a\nb\nc")
    expect(adas).to_have_value("a\nb\nc")

    server.kill()
    expect(call.customer.get_by_text("Not saved yet")).to_be_hidden()
    cleos.press("Control+Home")
    cleos.press_sequentially("written in the dark ")
    expect(call.customer.get_by_text("Not saved yet")).to_be_visible()
    adas.press("Control+End")
    adas.press_sequentially(" and so is this")
    server.start_again()
    for box in (cleos, adas):
        expect(box).to_have_value("written in the dark a\nb\nc and so is this")
        is_saved(box)

    # Reloaded before the server has it: the tab remembers.
    server.kill()
    cleos.press("Control+Home")
    cleos.press_sequentially("kept: ")
    expect(call.customer.get_by_text("Not saved yet")).to_be_visible()
    server.start_again()
    call.customer.reload()
    call.customer.get_by_role("tab", name="Notes").click()
    for page in (call.customer, call.expert):
        expect(notes_of(page)).to_have_value("kept: written in the dark a\nb\nc and so is this")
    end_session(call.expert)
    for page in (call.customer, call.expert):
        expect(page.get_by_role("heading", name="Notes")).to_be_visible()
        expect(page.get_by_text("kept: written in the dark")).to_be_visible()
        assert axe_violations(page) == []
    call.expert.context.grant_permissions(["clipboard-write"])
    call.expert.get_by_role("button", name="Copy").click()
    expect(call.expert.get_by_role("button", name="Copied")).to_be_visible()
    assert pasted(call.expert) == "kept: written in the dark a\nb\nc and so is this"
    call.expert.get_by_role("heading", name="Notes").scroll_into_view_if_needed()
    call.expert.screenshot(path=screenshot_path("notes-receipt"))


def test_what_did_not_fit_is_told_and_can_be_copied_and_both_write_on(server: LiveServer, open_page: OpenPage) -> None:
    call = start_call(server, open_page, "Full to the brim")
    cleos, adas = open_notes(call)
    cleos.fill("x" * 99_990)
    # It goes in pieces.
    expect(adas).to_have_value("x" * 99_990, timeout=30_000)
    cleos.press("Control+Home")
    cleos.press_sequentially("quicker")
    expect(adas).to_have_value("quicker" + "x" * 99_990)
    # As if she had not heard of it: the box itself would take no more.
    adas.evaluate("""box => {
        box.setRangeText("Ada, too", 0, 0, "end");
        box.dispatchEvent(new Event("input"));
    }""")
    refused = call.expert.get_by_text("did not fit and was not kept")
    expect(refused).to_be_visible()
    expect(adas).to_have_value("quicker" + "x" * 99_990)
    expect(adas).to_be_editable()
    assert axe_violations(call.expert) == []
    call.expert.screenshot(path=screenshot_path("notes-full"))

    adas.evaluate("box => box.setSelectionRange(7, 100)")
    adas.press("Delete")
    expect(cleos).to_have_value("quicker" + "x" * 99_897)
    call.expert.context.grant_permissions(["clipboard-write"])
    call.expert.get_by_role("button", name="Copy what was not kept").click()
    expect(refused).to_be_hidden()
    assert pasted(call.expert) == "Ada, too"
    end_session(call.expert)


def test_tabs_by_keyboard_with_a_mark_for_what_is_new_on_wide_and_phone(server: LiveServer, open_page: OpenPage) -> None:
    call = start_call(server, open_page, "Beside the call")
    customer, expert = call.customer, call.expert
    expert.set_viewport_size(PHONE)
    expert.get_by_role("button", name="Close chat and notes").click()
    chat, notes = customer.get_by_role("tab", name="Chat"), customer.get_by_role("tab", name="Notes")
    chat.focus()
    chat.press("ArrowRight")
    expect(notes).to_be_focused()
    expect(notes).to_have_attribute("aria-selected", "true")
    notes_of(customer).fill("Look here")

    toggle = expert.get_by_role("button", name=re.compile("Chat.*something new"))
    expect(toggle).to_be_visible()
    toggle.click()
    news = expert.get_by_role("tab", name=re.compile("Notes.*changed"))
    expect(news).to_be_visible()
    news.click()
    expect(expert.get_by_role("tab", name="Notes", exact=True)).to_be_visible()
    expect(notes_of(expert)).to_have_value("Look here")
    for page, name in ((customer, "wide"), (expert, "phone")):
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            assert axe_violations(page) == []
            page.screenshot(path=screenshot_path(f"notes-{name}-{scheme}"))

    expert.get_by_role("tab", name="Chat").click()
    expert.get_by_label(f"Write to {CLEO}").fill("Thanks")
    expert.get_by_role("button", name="Send").click()
    expect(customer.get_by_role("tab", name=re.compile("Chat.*new lines"))).to_be_visible()
    end_session(expert)
