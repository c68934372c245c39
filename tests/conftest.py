"""What all tests share: quick passwords, collected static files, real server processes, and the stand-in for Stripe."""

from collections import Counter
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.cache import cache
from django.db import connection
from pytest_django import DjangoDbBlocker, Settings

from hopps import limits
from hopps.management.commands.prepare import collect_static
from tests.databases import close_all, databases, use
from tests.live import LiveCluster, LiveServer, copy_of, prepare_database
from tests.peers.sign_in_providers import SignInProviders
from tests.peers.sns import SnsStandIn
from tests.peers.stripe_stand_in import StripeStandIn
from tests.peers.twilio_stand_in import TwilioStandIn
from tests.peers.twilio_video import TwilioVideo
from tests.taking_back import take_back_what_tests_write

StartServer = Callable[..., LiveServer]

BROWSER_TESTS = Path(__file__).parent / "browser"
LONGEST = {"test_week.py", "test_stripe_crashes.py"}
# Whatever needs one of these needs a database: this process's own, or one of a server or another process.
ROWS = {"db", "transactional_db", "shared_folder"}
# What another kind of database makes no difference to. In a browser: what the page does by itself.
PAGE_ALONE = {
    f"test_{name}.py"
    for name in (
        "account", "adapters", "asking", "call_controls", "check", "devices", "limits", "pages", "people", "providers",
        "push", "relay", "returning", "room", "room_rules", "second_factor", "sign_in", "switch", "waiting", "weight",
    )
}  # fmt: skip
# Elsewhere: who may do what, what a server says before any row is asked for, and what other services say to it.
ANY_DATABASE = {
    f"test_{name}.py"
    for name in (
        "browser_policy", "limits_live", "operators", "origins", "permissions", "provider_sign_in", "script_cluster",
        "socket_table",
    )
}  # fmt: skip
# What a death leaves behind: on every database that rolls back the same.
CRASHES = {"test_stripe_crashes.py", "test_wave_crashes.py"}
_servers: list[LiveServer | StripeStandIn | SnsStandIn | SignInProviders] = []


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--with-rows", action="store_true", help="only tests that may notice the kind of database")


def pytest_configure(config: pytest.Config) -> None:
    # The real hasher is slow on purpose.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    # A test that imports hopps.asgi must not start a worker beside it.
    settings.JOBS_IN_WEB_PROCESS = False


def pytest_sessionstart() -> None:
    # Before the test files are imported: the application that some of them import wants its static files.
    collect_static()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put the browser's files and the longest ones first: nothing must wait for one of them at the end."""
    items.sort(key=lambda item: not (item.path.is_relative_to(BROWSER_TESTS) or item.path.name in LONGEST))
    if config.getoption("with_rows"):
        config.hook.pytest_deselected(items=[item for item in items if not _keeps_rows(item)])
        items[:] = [item for item in items if _keeps_rows(item)]


def _keeps_rows(item: pytest.Item) -> bool:
    """Return whether the test would tell the kind of database it runs on from SQLite."""
    if item.path.name in (PAGE_ALONE if item.path.parent == BROWSER_TESTS else ANY_DATABASE):
        return False
    if item.path.name in CRASHES and connection.features.supports_transactions:
        return False
    needed = getattr(item, "fixturenames", ())
    if "three_kinds" in needed:
        # It brings one of each kind, whichever the suite runs on.
        return False
    return item.get_closest_marker("django_db") is not None or not ROWS.isdisjoint(needed)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show what the servers said when a test fails."""
    report = yield
    if report.failed:
        report.sections.extend((f"server {server.url}", server.log_tail()) for server in _servers)
    return report


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say how much was fuzzed, and by which seed it is done again (tests/fuzz)."""
    counted: Counter[str] = Counter()
    seeds = set()
    for report in (report for reports in terminalreporter.stats.values() for report in reports):
        for name, value in getattr(report, "user_properties", ()):
            if name == "fuzz seed":
                seeds.add(value)
            elif name.startswith("fuzz ") and report.when == "call":
                counted[name.removeprefix("fuzz ")] += value
    if counted:
        what = " and ".join(f"{number} {name}" for name, number in sorted(counted.items()))
        terminalreporter.write_line(f"Fuzzed: {what}, FUZZ_SEED={', '.join(map(str, sorted(seeds)))}")


@pytest.fixture(autouse=True)
def nothing_is_counted() -> Iterator[None]:
    """What one test did is not too often for the next."""
    yield
    limits.forget()
    cache.clear()


@pytest.fixture(scope="session")
def django_db_setup(
    shared_folder: Path, tmp_path_factory: pytest.TempPathFactory, django_db_blocker: DjangoDbBlocker
) -> Iterator[None]:
    """This process's own database. It is a copy too: migrating takes longer than most files of tests."""
    address = copy_of(prepare_database(shared_folder, demo=False), tmp_path_factory.mktemp("database"))
    with django_db_blocker.unblock():
        use(address)
        if connection.vendor == "mongodb":
            take_back_what_tests_write()
    yield
    with django_db_blocker.unblock():
        close_all()
    databases.drop(address)


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """A folder that all test workers of this run share."""
    base = tmp_path_factory.getbasetemp()
    return base if worker_id == "master" else base.parent


@pytest.fixture(scope="module")
def start_server(
    shared_folder: Path, tmp_path_factory: pytest.TempPathFactory, django_db_blocker: DjangoDbBlocker
) -> Iterator[StartServer]:
    """Start real servers, each with a database of its own; they are stopped after the module's last test.

    `start_server(demo=True, REQUEST_EXPIRES_SECONDS="3")`: demo data or an empty database; settings by name.
    `start_server(beside=other)`: on the database of another server.
    `start_server(kind=LiveCluster)`: several processes instead of the one.
    """
    started: list[LiveServer] = []
    copies: list[str] = []

    def start(
        *, demo: bool = True, beside: LiveServer | None = None, kind: type[LiveServer] = LiveServer, **environment: str
    ) -> LiveServer:
        folder = tmp_path_factory.mktemp("server")
        if beside is None:
            copies.append(copy_of(prepare_database(shared_folder, demo=demo), folder))
        database = copies[-1] if beside is None else beside.database
        server = kind(folder, database=database, blocker=django_db_blocker, environment=environment)
        started.append(server)
        _servers.append(server)
        server.start()
        return server

    yield start
    for server in started:
        server.stop()
        _servers.remove(server)
    for copy in copies:
        databases.drop(copy)


@pytest.fixture(scope="module")
def server(start_server: StartServer) -> LiveServer:
    """A server with the demo data, shared by the module's tests."""
    return start_server()


@pytest.fixture(scope="module")
def live_cluster(start_server: StartServer) -> LiveCluster:
    """Two web processes, a worker and Redis with the demo data, shared by the module's tests; every second costs."""
    cluster = start_server(kind=LiveCluster, FIT_WINDOW_SECONDS="0")
    assert isinstance(cluster, LiveCluster)
    return cluster


@pytest.fixture(scope="session")
def _stripe_processes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StripeStandIn]:
    stand_in = StripeStandIn(tmp_path_factory.mktemp("stripe"))
    try:
        stand_in.start()
        _servers.append(stand_in)
        yield stand_in
    finally:
        stand_in.stop()
        if stand_in in _servers:
            _servers.remove(stand_in)


@pytest.fixture
def stripe_peer(_stripe_processes: StripeStandIn) -> Iterator[StripeStandIn]:
    """Stripe's stand-in, empty. A request that Stripe's own description does not allow fails the test.

    A test that makes one on purpose takes it back with `stripe_peer.reset()`.
    """
    _stripe_processes.reset()
    yield _stripe_processes
    assert _stripe_processes.violations() == []


@pytest.fixture(scope="session")
def _sns_processes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SnsStandIn]:
    stand_in = SnsStandIn(tmp_path_factory.mktemp("sns"))
    _servers.append(stand_in)
    yield stand_in
    _servers.remove(stand_in)
    stand_in.stop()


@pytest.fixture
def sns_peer(_sns_processes: SnsStandIn, monkeypatch: pytest.MonkeyPatch, settings: Settings) -> SnsStandIn:
    """SNS's stand-in, empty; this process texts by it."""
    _sns_processes.reset()
    for name, value in _sns_processes.environment.items():
        monkeypatch.setenv(name, value)
    settings.SMS = "sns"
    return _sns_processes


@pytest.fixture(scope="session")
def sign_in_providers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SignInProviders]:
    """Real providers people sign in by. Who there is at them is up to the tests."""
    providers = SignInProviders(tmp_path_factory.mktemp("providers"))
    try:
        providers.start()
        _servers.append(providers)
        yield providers
    finally:
        providers.stop()
        if providers in _servers:
            _servers.remove(providers)


@pytest.fixture(scope="session")
def _twilio_server() -> Iterator[TwilioStandIn]:
    stand_in = TwilioStandIn()
    yield stand_in
    stand_in.stop()


@pytest.fixture
def twilio_peer(_twilio_server: TwilioStandIn, settings: Settings) -> Iterator[TwilioStandIn]:
    """Twilio's stand-in, empty; this process texts by it. A request that Twilio's description does not allow fails the test.

    A test that makes one on purpose takes it back with `twilio_peer.reset()`.
    """
    _twilio_server.reset()
    for name, value in _twilio_server.settings.items():
        setattr(settings, name, value)
    yield _twilio_server
    assert _twilio_server.violations == []


@pytest.fixture(scope="session")
def _video_server() -> Iterator[TwilioVideo]:
    stand_in = TwilioVideo()
    yield stand_in
    stand_in.stop()


@pytest.fixture
def video_peer(_video_server: TwilioVideo, settings: Settings) -> Iterator[TwilioVideo]:
    """Twilio Video's stand-in, empty; this process's calls go by it. What Twilio's description forbids fails the test.

    A test that asks such a thing on purpose takes it back with `video_peer.reset()`.
    """
    _video_server.reset()
    for name, value in _video_server.settings.items():
        setattr(settings, name, value)
    yield _video_server
    assert _video_server.violations == []
