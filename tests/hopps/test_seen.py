"""Requests and sockets at a real server: the id they carry, the line they leave, what is counted of them."""

import json
import re
import time
from collections.abc import Callable
from typing import Any

import pytest
import requests
from huey import SqliteHuey
from prometheus_client.parser import text_string_to_metric_families

from tests.conftest import StartServer
from tests.live import LiveServer
from tests.sessions_app.wire import SECONDS, Person

CUSTOMER, EXPERT = "customer@demo.test", "expert@demo.test"
TOKEN = "for-the-tests"


@pytest.fixture(scope="module")
def server(start_server: StartServer) -> LiveServer:
    return start_server(ACCESS_LOG="1", LOG_FORMAT="json", METRICS_TOKEN=TOKEN)


def ask(server: LiveServer, path: str, **headers: str) -> requests.Response:
    return requests.get(server.url + path, headers=headers, timeout=30, allow_redirects=False, proxies={"http": ""})


def line(server: LiveServer, **known: str) -> dict[str, Any]:
    """Return the last line of the server's log with `known` on it, once it is there. Every line is a JSON object."""

    def found() -> list[dict[str, Any]]:
        # The last one may be half written.
        whole = (server.folder / "server.log").read_text().rpartition("\n")[0]
        return [said for said in map(json.loads, whole.splitlines()) if known.items() <= said.items()]

    eventually(lambda: bool(found()))
    return found()[-1]


def eventually(holds: Callable[[], bool]) -> None:
    """Wait until something holds that nobody is told of."""
    until = time.monotonic() + SECONDS
    while not holds():
        assert time.monotonic() < until, "It never came to hold."


def counted(server: LiveServer) -> dict[str, float]:
    """Return what /metrics says, by name and labels as they are written there."""
    answer = ask(server, "/metrics", Authorization=f"Bearer {TOKEN}")
    assert answer.status_code == 200
    families = text_string_to_metric_families(answer.text)
    return {
        sample.name + "".join(f" {key}={value}" for key, value in sorted(sample.labels.items())): sample.value
        for family in families
        for sample in family.samples
    }


def request_ids_of_jobs(server: LiveServer, session: str) -> set[str]:
    """Return the ids of the requests that set the jobs which will look at `session`."""
    queue = SqliteHuey("hopps", filename=str(server.folder / "jobs.sqlite3"))
    jobs = [queue.serializer.deserialize(data) for data in queue.storage.scheduled_items()]
    queue.storage.close()
    return {job.id.split(".")[0] for job in jobs if session in job.args}


@pytest.fixture(scope="module")
def people(server: LiveServer) -> tuple[Person, Person]:
    return Person(server, CUSTOMER), Person(server, EXPERT)


@pytest.fixture(scope="module")
def session(people: tuple[Person, Person]) -> str:
    """A request for help."""
    customer, _ = people
    page = customer.get("/ask/")
    topic = re.search(r'value="([0-9a-f-]{36})"[^>]*>\s*(?:<[^>]*>\s*)*Python', page)
    card = re.search(r'name="card"[^>]*value="([0-9a-f-]{36})"', page)
    assert topic, page
    words = {"title": "Query is slow", "details": "", "cap_minutes": 15, "topic": topic[1]} | (
        {"card": card[1]} if card else {}
    )
    answer = customer.post("/ask/", **words)
    assert answer.status_code == 302, answer.text
    return answer.headers["Location"].strip("/").split("/")[-1]


def test_it_answers_with_the_id_it_was_given(server: LiveServer) -> None:
    answer = ask(server, "/", **{"X-Request-ID": "from-the-proxy"})

    assert answer.headers["X-Request-ID"] == "from-the-proxy"
    said = line(server, request="from-the-proxy")
    assert (said["logger"], said["method"], said["route"], said["status"]) == ("hopps.access", "GET", "home", 200)
    assert said["ms"] >= 0


@pytest.mark.parametrize("given", ["", "short", "a" * 65, "with a space", "../../etc", "<script>alert(1)"])
def test_it_makes_an_id_where_none_or_a_strange_one_came(server: LiveServer, given: str) -> None:
    answer = ask(server, "/", **{"X-Request-ID": given})

    assert re.fullmatch("[0-9a-f]{32}", answer.headers["X-Request-ID"])


def test_what_is_asked_for_is_named_by_its_route_and_not_by_its_address(server: LiveServer) -> None:
    answer = ask(server, "/accounts/password/reset/key/2-cx1abc-secret/")

    said = line(server, request=answer.headers["X-Request-ID"])
    assert said["route"] == "account_reset_password_from_key"
    assert "secret" not in json.dumps(said)


def test_a_line_says_who_asked_and_about_which_session(people: tuple[Person, Person], session: str) -> None:
    customer, _ = people
    customer.get(f"/sessions/{session}/")

    said = line(customer.server, session=session, route="session")
    assert re.fullmatch("[0-9a-f-]{36}", said["person"])


def test_jobs_carry_the_id_of_the_request_or_the_socket_that_set_them(people: tuple[Person, Person], session: str) -> None:
    customer, expert = people
    accepted = expert.post(f"/sessions/{session}/accept/").headers["X-Request-ID"]
    eventually(lambda: accepted in request_ids_of_jobs(customer.server, session))

    with expert.open(session) as experts, customer.open(session) as customers:
        experts.join()
        customers.join()
        id_of_socket = customers.socket.response.headers["X-Request-ID"]  # type: ignore[union-attr]
        customers.eventually(lambda: id_of_socket in request_ids_of_jobs(customer.server, session))


def test_open_sockets_are_counted_while_they_are_open(people: tuple[Person, Person], session: str) -> None:
    customer, _ = people
    with customer.open(session) as page:
        page.state()
        assert counted(customer.server)["hopps_sockets kind=sessions"] == 1
        page.close()
    eventually(lambda: counted(customer.server)["hopps_sockets kind=sessions"] == 0)


def test_requests_are_counted_by_route_and_never_by_address(server: LiveServer) -> None:
    before = counted(server)
    for path in ("/", "/nothing/of/the/kind/", "/nothing/else/", "/static/css/nothing.css", "/accounts/login/"):
        ask(server, path)
    requests.request("PROPFIND", server.url, timeout=30, proxies={"http": ""})
    after = counted(server)

    grown = {name: count - before.get(name, 0) for name, count in after.items() if name.startswith("hopps_requests_total")}
    assert grown["hopps_requests_total method=GET route=home status=2xx"] == 1
    assert grown["hopps_requests_total method=GET route=none status=4xx"] == 2
    assert grown["hopps_requests_total method=GET route=static status=4xx"] == 1
    assert grown["hopps_requests_total method=GET route=account_login status=2xx"] == 1
    assert grown["hopps_requests_total method=other route=home status=4xx"] == 1
    assert not [name for name in after if "nothing" in name]


def test_the_log_names_nobody(people: tuple[Person, Person], session: str) -> None:
    said = (people[0].server.folder / "server.log").read_text()

    assert session in said
    assert "@demo.test" not in said
