"""Limits at a real server: what is limited, what is answered, and that nobody gets around it."""

import time
from uuid import uuid4

import pytest
import requests

from accounts.models import Topic
from billing.gateways.demo import TEST_CARDS
from billing.models import Card
from tests.conftest import StartServer
from tests.live import LiveCluster, LiveServer
from tests.sessions_app.wire import JSON, SECONDS, Person

CUSTOMER, EXPERT, EXPERT2, OPERATOR = (f"{name}@demo.test" for name in ("customer", "expert", "expert2", "operator"))
WINDOW_SECONDS = 2
TWO_AN_HOUR = {f"LIMIT_{name}": "2/hour" for name in ("ASK", "DECLINED", "CARD", "CANCEL", "CHAT", "FILE", "REPORT", "TEST")}
HERE, ELSEWHERE = "198.51.100.7", "203.0.113.9"
# The same in every test process, for it is part of a test's name.
NOBODY = "00000000-0000-4000-8000-000000000000"
TWO_IN_A_SESSION = f"""
from accounts.models import Topic, User
from tests.people import make_active
customer, expert = (User.objects.get(email=email) for email in ("{CUSTOMER}", "{EXPERT}"))
print(make_active(customer, expert, Topic.objects.first(), seconds=5).pk)
"""


@pytest.fixture(scope="module")
def server(start_server: StartServer) -> LiveServer:
    """Two of everything an hour; this machine is the proxy in front of it."""
    return start_server(
        LIMITS_TIMES="1",
        TRUSTED_PROXIES="127.0.0.1",
        FIT_WINDOW_SECONDS="0",
        LIMIT_ACCEPT=f"2/{WINDOW_SECONDS}seconds",
        LIMIT_SIGN_IN="1000/minute",
        **TWO_AN_HOUR,
    )


def seconds_of(answer: requests.Response) -> int:
    """Return when a 429 says to come again."""
    assert answer.status_code == 429, answer.status_code
    seconds = int(answer.headers["Retry-After"])
    assert seconds >= 1
    return seconds


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        (f"/sessions/{NOBODY}/cancel/", "You have called off or given back very often."),
        (f"/sessions/{NOBODY}/files/", "You have sent many files."),
        ("/billing/cards/add/", "You have added cards very often."),
        ("/expert/reach/test/push/", "You have sent many tests."),
    ],
)
def test_the_third_is_too_often_as_a_page_and_for_scripts_and_for_nobody_else(
    server: LiveServer, path: str, sentence: str
) -> None:
    person, other = Person(server, EXPERT, address=HERE), Person(server, OPERATOR, address=HERE)
    for _ in range(2):
        assert person.post(path).status_code != 429

    page, told = person.post(path), person.post_by_script(path)

    assert 3500 < seconds_of(page) <= 3600
    assert f"{sentence} So that nobody" in page.text
    assert "Try again in 1 hour" in page.text
    assert 3500 < seconds_of(told) <= 3600
    assert told.json() == {"error": f"{sentence} Try again in 1 hour."}
    assert other.post(path).status_code != 429
    assert person.get("/settings/")


def test_giving_back_and_passing_on_are_counted_with_cancelling(server: LiveServer) -> None:
    person = Person(server, EXPERT2)
    answers = [person.post(f"/sessions/{NOBODY}/{what}/") for what in ("cancel", "release", "pass")]

    assert [answer.status_code for answer in answers] == [404, 404, 429]


def test_after_its_time_it_works_again(server: LiveServer) -> None:
    path = f"/sessions/{NOBODY}/accept/"
    person = Person(server, EXPERT)
    assert [person.post(path).status_code for _ in range(2)] == [404, 404]
    assert seconds_of(person.post(path)) <= WINDOW_SECONDS

    until = time.monotonic() + SECONDS
    while person.post(path).status_code == 429:
        assert time.monotonic() < until, "It never worked again."


def words_of(server: LiveServer, card: str, title: str = "Query is slow") -> JSON:
    with server.rows() as its:
        topic = str(Topic.objects.using(its).get(name="Python").pk)
    return {"title": title, "details": "It was fast.", "cap_minutes": 15, "topic": topic, "card": card}


def test_who_asks_too_often_keeps_the_words(server: LiveServer) -> None:
    customer = Person(server, CUSTOMER)
    with server.rows() as its:
        words = words_of(server, str(Card.objects.using(its).get(owner__email=CUSTOMER).pk), "Words that are kept")
    for _ in range(2):
        session = customer.post("/ask/", **words).headers["Location"]
        customer.post(f"{session}cancel/")

    answer = customer.post("/ask/", **words)

    assert seconds_of(answer) > 3500
    assert "You have asked for help very often. Try again in 1 hour." in answer.text
    assert "Words that are kept" in answer.text
    assert "Words that are kept" in customer.get("/ask/")


def test_cards_are_not_tried_out_one_after_the_other(server: LiveServer) -> None:
    tester = Person(server, OPERATOR)
    cards = []
    for kind in (1, 0):  # declined, approved
        tester.post("/billing/cards/add/", card=TEST_CARDS[kind].ref)
        with server.rows() as its:
            cards.append(str(Card.objects.using(its).filter(owner__email=OPERATOR).latest("added_at").pk))
    declined, good = cards
    assert [tester.post("/ask/", **words_of(server, declined)).status_code for _ in range(2)] == [422, 422]

    answer = tester.post("/ask/", **words_of(server, good))

    assert seconds_of(answer) > 3500
    assert "Cards were declined here again and again." in answer.text


# --- In a session ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def session(server: LiveServer) -> str:
    """A session that both are in."""
    return server.manage("shell", "--no-imports", "-c", TWO_IN_A_SESSION).strip().splitlines()[-1]


def test_who_writes_too_fast_from_several_pages_is_told_and_the_other_is_heard(server: LiveServer, session: str) -> None:
    customer, expert = Person(server, CUSTOMER), Person(server, EXPERT)
    with customer.open(session) as first, customer.open(session) as second, expert.open(session) as eves:
        for page, body in ((first, "one"), (second, "two")):
            page.say(type="chat", id=uuid4().hex, body=body)
            assert page.hear("chat_line", where=lambda line, body=body: line["body"] == body)  # type: ignore[misc]
        line = str(uuid4())
        second.say(type="chat", id=line, body="three")

        told = second.hear("chat_refused")

        assert told["id"] == line
        assert told["message"] == "You are writing very fast. Try again in 1 hour."
        eves.say(type="chat", id=uuid4().hex, body="I am here")
        assert second.hear("chat_line", where=lambda line: line["body"] == "I am here")
        assert [event["body"] for event in second.heard if event["type"] == "chat_line"] == ["one", "two", "I am here"]


def test_who_reports_too_often_keeps_the_words(server: LiveServer, session: str) -> None:
    customer = Person(server, CUSTOMER)
    customer.post(f"/sessions/{session}/end/")
    for number in range(2):
        customer.post(f"/sessions/{session}/report/", problem=f"Nobody spoke, {number}.")

    answer = customer.post(f"/sessions/{session}/report/", problem="What I wrote the third time.")

    assert seconds_of(answer) > 3500
    assert "You have reported very often." in answer.text
    assert "What I wrote the third time." in answer.text


# --- Addresses ------------------------------------------------------------------------------------------------------------


class Stranger:
    """Nobody signed in."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._http = requests.Session()
        self._http.trust_env = False
        self._http.get(f"{url}/accounts/login/", timeout=SECONDS).raise_for_status()

    def sign_in(self, *, claims: str, email: str = "no@example.org", by: str = "") -> requests.Response:
        """Try to; `claims` is what stands in X-Forwarded-For, `by` another process's address."""
        return self._http.post(
            f"{by or self.url}/accounts/login/",
            data={"login": email, "password": "wrong"},
            headers={"X-CSRFToken": self._http.cookies["csrftoken"] or "", "X-Forwarded-For": claims},
            timeout=SECONDS,
            allow_redirects=False,
        )


@pytest.mark.parametrize(
    ("proxies", "claim"),
    [
        # Straight from the internet: nobody is to be believed.
        ("", "198.51.100.{}"),
        # The proxy wrote the last one; what stands before it is what the visitor claims.
        ("127.0.0.1", "198.51.100.{}, 203.0.113.9"),
    ],
)
def test_who_claims_to_come_from_elsewhere_is_counted_all_the_same(
    start_server: StartServer, proxies: str, claim: str
) -> None:
    server = start_server(LIMITS_TIMES="1", LIMIT_SIGN_IN="3/hour", TRUSTED_PROXIES=proxies)
    stranger = Stranger(server.url)
    emails = [f"n{number}@example.org" for number in range(4)]

    answers = [stranger.sign_in(claims=claim.format(number), email=email) for number, email in enumerate(emails)]

    assert [answer.status_code == 429 for answer in answers] == [False] * 3 + [True]
    assert 3500 < seconds_of(answers[-1]) <= 3600
    if proxies:
        assert stranger.sign_in(claims="192.0.2.1").status_code != 429


# --- Several processes ----------------------------------------------------------------------------------------------------


@pytest.mark.whole_machine
def test_two_processes_count_together_and_go_on_without_redis(start_server: StartServer) -> None:
    cluster = start_server(kind=LiveCluster, LIMITS_TIMES="1", LIMIT_CANCEL="2/hour", LIMIT_SIGN_IN="4/hour")
    assert isinstance(cluster, LiveCluster)
    webs = [web.address for web in cluster.cluster.webs]
    stranger = Stranger(webs[0])
    people = [f"n{number}@example.org" for number in range(5)]

    # allauth's, in Django's cache.
    answers = [stranger.sign_in(claims=HERE, email=person, by=webs[n % 2]) for n, person in enumerate(people)]

    assert [answer.status_code == 429 for answer in answers] == [False] * 4 + [True]
    assert seconds_of(answers[-1]) > 3500

    # Ours.
    expert = Person(cluster, EXPERT, address=ELSEWHERE)
    paths = [f"/sessions/{NOBODY}/cancel/" for _ in range(3)]
    codes = []
    for number, path in enumerate(paths):
        cluster.url = webs[number % 2]
        codes.append(expert.post(path).status_code)
    assert codes == [404, 404, 429]

    # With Redis away each counts for itself: nobody is turned away, and nothing fails.
    cluster.cluster.redis.kill()
    for web in webs:
        cluster.url = web
        assert stranger.sign_in(claims=HERE, by=web).status_code == 200
        assert [expert.post(path).status_code for path in paths] == [404, 404, 429]
        log = cluster.log_tail()
        assert "Redis is away" in log
