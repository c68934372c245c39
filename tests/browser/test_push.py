"""Notifications: from the click that turns them on to the one that opens the request, with the board closed."""

import json
import time
from typing import Any

from playwright.sync_api import Page, Worker, expect

from accounts.models import PushSubscription
from tests.browser.call import CUSTOMER, EXPERT, accept, ask_for_help
from tests.browser.conftest import PATIENCE, OpenPage
from tests.live import LiveServer
from tests.peers.push_service import PushService, push_service

__all__ = ["push_service"]

OTHER_EXPERT = "expert2@demo.test"
TITLE = "Build fails since this morning"
# The one call that needs a push service on the internet: it answers with a subscription at ours.
SUBSCRIBE = """({endpoint, keys}) => {
    PushManager.prototype.subscribe = async ({userVisibleOnly, applicationServerKey}) => {
        window.subscribedWith = {userVisibleOnly, applicationServerKey};
        return {endpoint, toJSON: () => ({endpoint, keys})};
    };
}"""
# Until these titles are shown and no others, or patience ends; what is shown then. (`wait_for_function` does not wait for
# promises.)
SHOWN = """async ([titles, patience]) => {
    const registration = await navigator.serviceWorker.ready;
    for (const end = Date.now() + patience; ; await new Promise(done => setTimeout(done, 20))) {
        const shown = await registration.getNotifications();
        const right = JSON.stringify(shown.map(({title}) => title)) === JSON.stringify(titles);
        if (right || Date.now() > end) return shown.map(({tag, title, body, data}) => ({tag, title, body, url: data.url}));
    }
}"""
# Nobody can click on a notification of a browser without a screen, and only a click may open or bring up a page.
CLICK = """async tag => {
    const led = [];
    self.clients.openWindow = async url => void led.push(['opened', url]);
    WindowClient.prototype.focus = async function () { led.push(['brought up', this.url]); };
    const [notification] = await self.registration.getNotifications({tag});
    const event = new NotificationEvent('notificationclick', {notification});
    let work;
    event.waitUntil = promise => { work = promise; };
    self.dispatchEvent(event);
    await work;
    return led;
}"""
# The browser's maker gives it another address: nobody can make it do so.
MOVED = """async ({old, endpoint, keys}) => {
    const newSubscription = {endpoint, toJSON: () => ({endpoint, keys})};
    const event = Object.assign(new Event('pushsubscriptionchange'), {oldSubscription: {endpoint: old}, newSubscription});
    let work;
    event.waitUntil = promise => { work = promise; };
    self.dispatchEvent(event);
    await work;
}"""
# The hours of the week, and twenty seconds without a board: nobody believes in an open one any more.
READY = """
from accounts.models import *
ExpertProfile.objects.update(board_seen_at=None)
"""


class Pusher:
    """Hands a page's worker what a push service would bring."""

    def __init__(self, page: Page) -> None:
        page.goto("/")
        self.page = page
        self._origin = page.evaluate("() => location.origin")
        self._registrations: list[str] = []
        self._done = 0
        self._session = page.context.new_cdp_session(page)
        self._session.on("ServiceWorker.workerRegistrationUpdated", self._registered)
        self._session.on("BackgroundService.backgroundServiceEventReceived", self._went_on)
        self._session.send("BackgroundService.startObserving", {"service": "pushMessaging"})
        self._session.send("BackgroundService.setRecording", {"service": "pushMessaging", "shouldRecord": True})
        self._session.send("ServiceWorker.enable")
        page.evaluate(
            "() => navigator.serviceWorker.register('/service-worker.js').then(() => navigator.serviceWorker.ready)"
        )

    @property
    def worker(self) -> Worker:
        """The worker as it runs now; the page may be ready before Playwright has heard of it."""
        workers = self.page.context.service_workers
        return workers[-1] if workers else self.page.context.wait_for_event("serviceworker")

    def _registered(self, told: dict[str, Any]) -> None:
        self._registrations += [
            one["registrationId"] for one in told["registrations"] if one["scopeURL"] == f"{self._origin}/"
        ]

    def _went_on(self, told: dict[str, Any]) -> None:
        self._done += told["backgroundServiceEvent"]["eventName"] == "Push event completed"

    def bring(self, data: str | dict[str, str]) -> None:
        """Bring one push, a notification as Hopps sends it or any text, and wait until the worker is through with it.

        Who asks Chromium what is shown while it puts up a notification makes it forget that one.
        """
        done = self._done
        self._session.send(
            "ServiceWorker.deliverPushMessage",
            {
                "origin": self._origin,
                "registrationId": self._registrations[-1],
                "data": data if isinstance(data, str) else json.dumps(data),
            },
        )
        until = time.monotonic() + PATIENCE / 1000
        while self._done == done and time.monotonic() < until:
            self.page.evaluate("() => {}")  # what the browser tells is heard while it answers
        assert self._done > done


def shows(page: Page, *titles: str) -> list[dict[str, str]]:
    """Wait until exactly these notifications are shown, and return them."""
    shown: list[dict[str, str]] = page.evaluate(SHOWN, [titles, PATIENCE])
    assert [one["title"] for one in shown] == list(titles)
    return shown


def browsers_kept(server: LiveServer) -> list[tuple[str, str]]:
    """Return the addresses and names of the browsers the server would push to."""
    with server.rows() as its:
        return list(PushSubscription.objects.using(its).values_list("endpoint", "device"))


def test_a_request_reaches_an_expert_whose_board_is_closed_and_is_taken_back(
    server: LiveServer, open_page: OpenPage, push_service: PushService
) -> None:
    board = open_page(server, EXPERT, permissions=["notifications"])
    board.goto("/expert/")
    turn_on = board.get_by_role("button", name="Turn on notifications")
    expect(turn_on).to_be_visible()
    browser = push_service.browser(server_key=board.locator("[data-push]").get_attribute("data-key") or "")
    board.evaluate(SUBSCRIBE, {"endpoint": browser.endpoint, "keys": browser.keys})
    turn_on.click()
    expect(board.get_by_text("Notifications are on in this browser.")).to_be_visible()
    expect(turn_on).to_be_hidden()
    assert board.evaluate("window.subscribedWith") == {"userVisibleOnly": True, "applicationServerKey": browser.server_key}
    assert browsers_kept(server) == [(browser.endpoint, "Chrome on Linux")]

    # An open board shows its own; the worker shows it, as phones know no other way. Nothing is pushed.
    customer, others = open_page(server, CUSTOMER), open_page(server, OTHER_EXPERT)
    watched = ask_for_help(customer, "While you watch")
    [own] = shows(board, "Help wanted: While you watch")
    assert own["tag"] == f"request-{watched.rstrip('/').rsplit('/', 1)[-1]}"
    others.goto("/expert/")
    customer.get_by_role("button", name="Cancel request").click()
    shows(board)

    board.goto("/")
    server.manage("shell", "-c", READY)
    address = ask_for_help(customer, TITLE)
    pushed = browser.next().content
    assert pushed["title"] == f"Cleo Demo is stuck: {TITLE}"
    assert pushed["url"] == address
    pusher = Pusher(board)
    pusher.bring(pushed)
    [shown] = shows(pusher.page, pushed["title"])
    assert pusher.worker.evaluate(CLICK, shown["tag"]) == [["opened", address]]

    pusher.bring(pushed)
    shows(pusher.page, pushed["title"])
    accept(others, TITLE)
    taken_back = browser.next().content
    assert taken_back["kind"] == "close"
    pusher.bring(taken_back)
    shows(pusher.page)
    assert browser.nothing_came()

    moved = push_service.browser(server_key=browser.server_key)
    pusher.worker.evaluate(MOVED, {"old": browser.endpoint, "endpoint": moved.endpoint, "keys": moved.keys})
    assert browsers_kept(server) == [(moved.endpoint, "Chrome on Linux")]


def test_the_worker_shows_one_notification_a_tag_and_stumbles_over_nothing(server: LiveServer, open_page: OpenPage) -> None:
    pusher = Pusher(open_page(server, permissions=["notifications"]))
    first = {"kind": "show", "tag": "one", "title": "First", "body": "Python", "url": f"{server.url}/accounts/login/"}
    pusher.bring(first)
    [shown] = shows(pusher.page, "First")
    assert shown == {"tag": "one", "title": "First", "body": "Python", "url": f"{server.url}/accounts/login/"}
    pusher.bring({**first, "title": "First, anew"})
    shows(pusher.page, "First, anew")
    for nonsense in (
        "", "{", "null", "7", '"x"', "[]", "{}", '{"kind": "show"}', '{"kind": "close", "tag": 1}',
        '{"kind": "dance", "tag": "one", "title": "x"}', '{"kind": "show", "tag": "one", "title": {}}',
        '{"kind": "show", "tag": "three", "title": "x", "url": 5}', '{"kind": "close", "tag": "not there"}',
    ):  # fmt: skip
        pusher.bring(nonsense)
    # Wherever it says it leads, it stays on this site; one that names no page leads to the board.
    pusher.bring({**first, "tag": "two", "title": "Second", "url": "https://elsewhere.example.org/ask/?a=1"})
    shows(pusher.page, "First, anew", "Second")
    assert pusher.worker.evaluate(CLICK, "two") == [["opened", f"{server.url}/ask/?a=1"]]
    pusher.bring({"kind": "show", "tag": "two", "title": "Second"})
    shows(pusher.page, "First, anew", "Second")
    assert pusher.worker.evaluate(CLICK, "two") == [["opened", f"{server.url}/expert/"]]
    shows(pusher.page, "First, anew")
    # A page that shows the address already is brought up, not opened twice.
    pusher.page.goto("/accounts/login/")
    assert pusher.worker.evaluate(CLICK, "one") == [["brought up", f"{server.url}/accounts/login/"]]
    shows(pusher.page)
