"""The room's rules, asked in the browser they are for: what is large, what a weak line means, what is said of a device."""

from typing import Any

import pytest
from playwright.sync_api import Page

from tests.browser.call import EXPERT
from tests.browser.conftest import OpenPage
from tests.live import LiveServer


@pytest.fixture
def rules(server: LiveServer, open_page: OpenPage) -> Page:
    """A page of ours, to run the rules in the browser they are for."""
    page = open_page(server, EXPERT)
    # The front page may not use a camera.
    page.goto("/expert/check/")
    return page


def ask(page: Page, module: str, code: str, argument: Any = None) -> Any:
    """Return what `code`, a function of the module and the argument, says."""
    return page.evaluate(
        f"async argument => ({code})(await import('/static/js/{module}.js'), argument)",
        argument,
    )


LOOKS = """({ calm, looked, advice }, looks) => {
    let state = calm();
    return looks.map(([at, quality, more = {}]) => {
        const now = { at: at * 1000, camera: true, screen: false, insists: false, quality, ...more };
        state = looked(state, now);
        return [state.resting, advice(state, now)?.does ?? null];
    });
}"""


def test_a_weak_line_is_said_after_a_while_then_the_camera_rests_and_comes_back_ever_more_slowly(rules: Page) -> None:
    said = ask(
        rules,
        "room/poor_line",
        LOOKS,
        [
            [0, "good"], [2, "poor"], [4, "good"],  # a hiccup
            [10, "poor"], [16, "poor"], [25, "poor"],  # told, then done
            [30, "good"], [45, "good"], [50, "good"],  # good for 20 s: tried again
            [52, "poor"], [67, "poor"], [70, "good"], [90, "good"], [110, "good"],  # the next time 40 s
        ],
    )  # fmt: skip
    assert said == [
        [False, None], [False, None], [False, None],
        [False, None], [False, "camera-off"], [True, "camera-on"],
        [True, "camera-on"], [True, "camera-on"], [False, None],
        [False, None], [True, "camera-on"], [True, "camera-on"], [True, "camera-on"], [False, None],
    ]  # fmt: skip


def test_whoever_insists_on_the_camera_keeps_it_and_who_sends_none_is_told_what_else_helps(rules: Page) -> None:
    insists = {"insists": True}
    assert ask(rules, "room/poor_line", LOOKS, [[0, "poor", insists], [60, "poor", insists]])[-1][0] is False
    sharing = {"camera": False, "screen": True}
    assert ask(rules, "room/poor_line", LOOKS, [[0, "poor", sharing], [60, "poor", sharing]])[-1] == [False, "stop-screen"]
    talking = {"camera": False}
    assert ask(rules, "room/poor_line", LOOKS, [[0, "poor", talking], [60, "poor", talking]])[-1] == [False, ""]


def test_the_poorer_the_line_the_less_the_pictures_take(rules: Page) -> None:
    code = "({ shareOf }, line) => ['good', 'fair', 'poor'].map(quality => shareOf(line, quality))"
    for line in ("camera", "screen"):
        shares = [share["maxBitrate"] for share in ask(rules, "room/sender_rules", code, line)]
        assert shares == sorted(shares, reverse=True)
        assert len(set(shares)) == 3
    assert [share["priority"] for share in ask(rules, "room/sender_rules", code, "microphone")] == ["high"] * 3
    assert ask(rules, "room/quality", "({ grade }) => [grade(0, .05), grade(.05, .05), grade(.1, .05), grade(0, .7)]") == [
        "good", "fair", "poor", "poor",
    ]  # fmt: skip


ARRANGE = """({ arrange }, [there, chosen]) => {
    const { large, small, beside } = arrange(new Set(there), chosen);
    return [large, small, beside];
}"""


ARRANGED: list[tuple[list[str], str | None, str | None, list[str], bool]] = [
    ([], None, None, [], False),
    (["own-camera"], None, None, ["own-camera"], False),
    (["camera", "own-camera"], None, "camera", ["own-camera"], False),
    (["camera", "own-camera"], "own-camera", "own-camera", ["camera"], False),
    (["screen"], None, "screen", [], False),
    (["camera", "screen"], None, "screen", ["camera"], True),
    (["camera", "screen", "own-camera", "own-screen"], None, "screen", ["camera", "own-screen", "own-camera"], True),
    (["camera", "screen", "own-camera", "own-screen"], "camera", "camera", ["screen", "own-screen", "own-camera"], True),
    (["camera", "own-camera"], "screen", "camera", ["own-camera"], False),  # the one chosen is gone
]
"""What there is and what was chosen; what is large, what is small, and whether that stands beside it."""


def test_a_screen_is_large_before_a_face_and_the_others_before_ones_own(rules: Page) -> None:
    for there, chosen, *arranged in ARRANGED:
        assert ask(rules, "room/layout", ARRANGE, [there, chosen]) == arranged, (there, chosen)


SPEAKS = "({ scored, speaks }, windows) => speaks(windows.reduce(scored, 0))"


def test_a_voice_is_heard_and_a_door_is_not(rules: Page) -> None:
    assert ask(rules, "room/muted_talk", SPEAKS, [0.1, 0.2, 0, 0.1, 0.1]) is True
    assert ask(rules, "room/muted_talk", SPEAKS, [0.9, 0.9, 0, 0, 0, 0, 0.5]) is False
    assert ask(rules, "room/muted_talk", SPEAKS, [0.01] * 50) is False


PROBLEM = """({ problemOf }, [name, message, around]) => {
    const usual = { secure: true, able: true, policy: true, permission: "denied" };
    const { sentence, label } = problemOf("camera", new DOMException(message, name), { ...usual, ...around });
    return [sentence, label];
}"""


TOLD: list[tuple[str, str, dict[str, Any], str, str]] = [
    ("NotAllowedError", "Permission denied", {}, "Allow it beside the page's address", "Try again"),
    ("NotAllowedError", "Permission dismissed", {"permission": "prompt"}, "Have it asked again", "Ask again"),
    ("NotAllowedError", "Permission denied by system", {}, "the system's privacy settings", "Try again"),
    ("NotAllowedError", "Permission denied", {"policy": False}, "Open it on another device", "Copy the address"),
    ("NotFoundError", "", {}, "No camera was found", "Look again"),
    ("NotReadableError", "", {}, "Another program is using your camera", "Try again"),
    ("TypeError", "", {"able": False, "secure": False}, "This address is not secure", "Open the secure page"),
    ("TypeError", "", {"able": False}, "This browser has no way to use a camera", "Copy the address"),
    ("UnknownError", "", {}, "Your camera did not start", "Try again"),
]
"""The browser's error, its text and what stands around it; words of the sentence, and the button."""


def test_each_device_problem_has_its_sentence_and_its_action(rules: Page) -> None:
    for name, message, around, words, label in TOLD:
        sentence, button = ask(rules, "lib/device_problems", PROBLEM, [name, message, around])
        assert words in sentence
        assert button == label, sentence


SWITCHED_OFF = """async ({ LocalMedia }, what) => {
    const really = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
    const [asked, answered] = [Promise.withResolvers(), Promise.withResolvers()];
    const opened = [];
    // The person has not answered the browser's question yet.
    navigator.mediaDevices.getUserMedia = async wanted => {
        asked.resolve();
        await answered.promise;
        const stream = await really(wanted);
        opened.push(...stream.getTracks());
        return stream;
    };
    const media = new LocalMedia();
    const opening = what === "choose" ? media.choose("camera", "") : media.open();
    const waiting = media.open(["microphone"]);
    await asked.promise;
    media.closeAll();
    answered.resolve();
    await Promise.all([opening, waiting]);
    const after = [opened.map(track => track.readyState), Object.values(media.tracks), Object.values(media.problems)];
    await media.open(["camera"]);
    const again = media.tracks.camera.readyState;
    media.closeAll();
    return [...after, again];
}"""


@pytest.mark.parametrize("what", ["open", "choose"])
def test_a_camera_that_opens_after_everything_was_switched_off_goes_off_and_can_be_had_again(rules: Page, what: str) -> None:
    """The session ended, or moved to another tab, while the browser's question still stood: nobody is filmed after it."""
    states, tracks, problems, again = ask(rules, "lib/local_media", SWITCHED_OFF, what)
    assert states
    assert set(states) == {"ended"}
    assert tracks == [None, None]
    assert problems == [None, None]
    assert again == "live"


LONG_CHAT = """async ({ Chat }, count) => {
    document.body.innerHTML = `<input name="csrfmiddlewaretoken"><div><ol data-chat-lines><li data-chat-empty></li></ol>
        <p data-typing></p><ul data-outgoing></ul><p data-chat-problem></p>
        <form><input type="file"><button data-attach type="button"></button><textarea></textarea></form></div>`;
    const setting = { session: "s", person: "a", other: "Eve", send: () => true, heard() {}, attached() {} };
    const chat = new Chat(document.querySelector("div"), { ...setting, signal: new AbortController().signal });
    const sent = at => new Date(1e12 + at * 1000).toISOString();
    const line = at => ({ type: "chat_line", id: `${at}`, author: "b", name: "Eve", body: `${at}`, file: null,
                          sent_at: sent(at) });
    const parse = Date.parse;
    let looks = 0;
    Date.parse = moment => { looks += 1; return parse(moment); };
    chat.welcome(Array.from({ length: count }, (_, at) => line(2 * at)));
    chat.add(line(2 * count - 3));
    Date.parse = parse;
    return [looks, [...document.querySelectorAll(".chat-line p:last-child")].slice(-3).map(p => p.textContent)];
}"""


def test_a_long_chat_is_shown_without_going_through_all_of_it_for_each_line(rules: Page) -> None:
    """Who writes without end must not hold up the other's page when that one reloads."""
    looks, last = ask(rules, "room/chat", LONG_CHAT, 500)
    assert looks < 500 * 5
    # Each at its time, one that comes late too.
    assert last == ["996", "997", "998"]
