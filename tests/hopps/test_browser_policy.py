"""What a server with production's settings tells browsers: Mozilla's Observatory test by test, and every address.

The Observatory's tests and what they ask: https://developer.mozilla.org/en-US/observatory/docs/tests_and_scoring
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from http.cookies import SimpleCookie

import pytest
from django.urls import get_resolver

from hopps import browser_policy
from hopps.browser_policy import FEATURES, more_for
from tests.conftest import StartServer
from tests.hopps.visitor import SETTINGS, SITE, Answer, Visitor, addresses, host_of, scripts_of
from tests.live import LiveServer

Visit = Callable[..., Visitor]

HALF_A_YEAR = 15_768_000
YEAR = 365 * 24 * 60 * 60
TWILIO = ["wss://global.vss.twilio.com", "wss://sdkgw.us1.twilio.com"]
UNTOUCHED = "00000000-0000-4000-8000-000000000000"


@pytest.fixture(scope="module")
def production(start_server: StartServer) -> LiveServer:
    """A server as it is in production, behind a proxy that speaks https."""
    return start_server(**SETTINGS)


@pytest.fixture(scope="module")
def visit() -> Iterator[Visit]:
    """Come to a server: `visit(server)`, `visit(server, https=False)`."""
    with ExitStack() as lines:
        yield lambda server, **how: lines.enter_context(closing(Visitor(server, **how)))


@pytest.fixture(scope="module")
def answers(production: LiveServer, visit: Visit) -> dict[str, Answer]:
    """What a visitor and then an operator gets to see, and every kind of refusal."""
    visitor, operator, plain = visit(production), visit(production), visit(production, https=False)
    home = visitor.ask("/")
    found = {
        "home": home,
        "sign-in page": visitor.ask("/accounts/login/"),
        "sent to sign in": visitor.ask("/sessions/"),
        "script": visitor.ask(next(iter(scripts_of(home)))),
        "script of the worker": visitor.ask("/service-worker.js"),
        "page of no kind": visitor.ask("/nothing-here/"),
        "file of no kind": visitor.ask("/static/nothing.js"),
        "NUL in the address": visitor.ask("/?x=%00"),
        "form without its token": visitor.ask("/ask/", "POST", b"", Origin="https://evil.example"),
        "wrong method": visitor.ask("/ask/", "PUT"),
        "body too large": visitor.ask("/ask/", "POST", b"x" * 3_000_000),
        "headers too many": visitor.ask("/", X_Much="x" * 40_000),
        "host of somebody else": visitor.ask("/", Host="evil.example"),
        "another site's script": visitor.ask("/", Origin="https://evil.example"),
        "signed in": operator.sign_in("operator@demo.test"),
        "app set up": operator.set_up_an_app(),
        "sessions": operator.ask("/sessions/"),
        "table to download": operator.ask("/sessions/export.csv"),
        "admin": operator.ask("/admin/"),
        "admin's list": operator.ask("/admin/accounts/user/"),
        "without TLS": plain.ask("/ask/?topic=x"),
        "health": plain.ask("/healthz"),
    }
    statuses = {name: answer.status for name, answer in found.items()}
    assert statuses == {
        "home": 200, "sign-in page": 200, "sent to sign in": 302, "script": 200, "script of the worker": 200,
        "page of no kind": 404, "file of no kind": 404, "NUL in the address": 400, "form without its token": 403,
        "wrong method": 403, "body too large": 413, "headers too many": 431, "host of somebody else": 400,
        "another site's script": 200, "signed in": 302, "app set up": 302, "sessions": 200, "table to download": 200,
        "admin": 200, "admin's list": 200, "without TLS": 301, "health": 200,
    }  # fmt: skip
    return found


def directives(answer: Answer) -> dict[str, list[str]]:
    """Return the Content-Security-Policy of an answer."""
    parts = [part.split() for part in answer.header("Content-Security-Policy").split(";")]
    return {part[0]: part[1:] for part in parts}


def content_security_policy(answer: Answer) -> bool:
    """ "csp-implemented-with-no-unsafe-default-src-none": the best there is."""
    policy = directives(answer)
    # Pictures within the page, such as the one an authenticator app scans, run nothing.
    everything = {source for name, sources in policy.items() for source in sources if (name, source) != ("img-src", "data:")}
    return (
        policy["default-src"] == ["'none'"]
        and not everything & {"'unsafe-inline'", "'unsafe-eval'", "'unsafe-hashes'", "*", "http:", "https:", "data:"}
        and not any(source.startswith("http://") for source in everything)
        and all(policy[name] == ["'none'"] for name in ("base-uri", "frame-ancestors"))
        and policy["form-action"] in (["'self'"], ["'none'"])
    )


def cookies(answer: Answer) -> bool:
    """ "cookies-secure-with-httponly-sessions-and-samesite", and names that browsers take from this host alone."""
    jar = [morsel for line in answer.headers.get_all("Set-Cookie") or [] for morsel in SimpleCookie(line).values()]
    return all(
        cookie["secure"] and cookie["httponly"] and cookie["samesite"] == "Lax"
        and cookie["path"] == "/" and not cookie["domain"] and cookie.key.startswith("__Host-")
        for cookie in jar
    )  # fmt: skip


def cross_origin_resource_sharing(answer: Answer) -> bool:
    """ "cross-origin-resource-sharing-not-implemented": no other site's script reads anything."""
    # WhiteNoise gives its files to every site's pages, unless told otherwise: they are no secret, but nobody needs them.
    return answer.header("Access-Control-Allow-Origin") == ""


def referrer_policy(answer: Answer) -> bool:
    """ "referrer-policy-private"."""
    return answer.header("Referrer-Policy") == "same-origin"


def strict_transport_security(answer: Answer) -> bool:
    """ "hsts-implemented-max-age-at-least-six-months"; ours is a year, for the hosts below it too."""
    assert YEAR > HALF_A_YEAR
    return answer.header("Strict-Transport-Security") == f"max-age={YEAR}; includeSubDomains; preload"


def subresource_integrity(answer: Answer) -> bool:
    """ "sri-not-implemented-but-all-scripts-loaded-from-secure-origin": all scripts are our own, none is in the page."""
    return all(address.startswith("/") and not host_of(address) for address in scripts_of(answer))


def x_content_type_options(answer: Answer) -> bool:
    """ "x-content-type-options-nosniff"."""
    return answer.header("X-Content-Type-Options") == "nosniff"


def x_frame_options(answer: Answer) -> bool:
    """ "x-frame-options-implemented-via-csp", and the old header beside it."""
    return answer.header("X-Frame-Options") == "DENY" and directives(answer)["frame-ancestors"] == ["'none'"]


def cross_origin_resource_policy(answer: Answer) -> bool:
    """ "corp-implemented-with-same-origin"."""
    return answer.header("Cross-Origin-Resource-Policy") == "same-origin"


OBSERVATORY = [
    content_security_policy, cookies, cross_origin_resource_sharing, referrer_policy, strict_transport_security,
    subresource_integrity, x_content_type_options, x_frame_options, cross_origin_resource_policy,
]  # fmt: skip


# The rest is about pages. A file is none, and a room fetches fifty of them: each byte of a header counts that often.
OF_FILES = {"script"}
TRUE_OF_FILES = {cookies, cross_origin_resource_sharing, strict_transport_security, x_content_type_options}


@pytest.mark.parametrize("passes", OBSERVATORY, ids=lambda test: test.__name__)
def test_the_observatory_passes(passes: Callable[[Answer], bool], answers: dict[str, Answer]) -> None:
    asked = answers if passes in TRUE_OF_FILES else {name: its for name, its in answers.items() if name not in OF_FILES}
    assert [name for name, answer in asked.items() if not passes(answer)] == []


def test_the_observatory_passes_redirection(answers: dict[str, Answer]) -> None:
    """ "redirection-to-https": the first step is https, on the same host."""
    assert answers["without TLS"].headers["Location"] == f"https://{SITE}/ask/?topic=x"


def test_every_address_has_the_headers(production: LiveServer, visit: Visit) -> None:
    operator = visit(production)
    operator.sign_in("operator@demo.test")
    tests = [one for one in OBSERVATORY if one not in (content_security_policy, cookies)]
    wrong = []
    for address in addresses(get_resolver()):
        if address == "/accounts/logout/":
            continue
        answer = operator.ask(address)
        policy = directives(answer)
        if policy["default-src"] != ["'none'"] or policy.get("script-src", ["'self'"]) != ["'self'"]:
            wrong.append(f"{address}: {policy}")
        if not answer.header("Permissions-Policy") or (
            "no-store" not in answer.header("Cache-Control") and address != "/service-worker.js"
        ):
            wrong.append(f"{address}: {answer.status} {answer.headers.items()}")
        wrong += [f"{address}: {test.__name__}" for test in tests if not test(answer)]
    assert wrong == []


def allowed(answer: Answer) -> set[str]:
    """Return the features the page itself may use; nobody else may any."""
    given = dict(part.split("=", 1) for part in answer.header("Permissions-Policy").split(", "))
    assert set(given) == set(FEATURES)
    assert set(given.values()) <= {"()", "(self)"}
    return {feature for feature, who in given.items() if who == "(self)"}


def test_camera_microphone_and_screen_are_for_the_sessions_page_and_the_experts_check(
    production: LiveServer, visit: Visit
) -> None:
    expert = visit(production)
    expert.sign_in("expert@demo.test")

    session = expert.ask(f"/sessions/{UNTOUCHED}/")
    check = expert.ask("/expert/check/")

    assert {"camera", "microphone", "display-capture"} <= allowed(session)
    assert {"camera", "microphone"} == allowed(check) & {"camera", "microphone", "display-capture"}
    for path in ("/", "/ask/", "/sessions/", "/expert/", "/settings/", "/billing/", "/admin/", "/static/nothing.js"):
        assert not allowed(expert.ask(path)) & {"camera", "microphone", "display-capture", "geolocation", "payment"}, path


def test_passkeys_are_for_the_pages_that_sign_in(production: LiveServer, visit: Visit) -> None:
    visitor = visit(production)
    passkeys = {"publickey-credentials-get", "publickey-credentials-create"}
    assert passkeys <= allowed(visitor.ask("/accounts/login/"))
    assert not passkeys & allowed(visitor.ask("/"))


def test_what_needs_more_is_the_name_of_an_address() -> None:
    # The addresses of codes to scan are there once allauth is told that they are wanted.
    names = {name for name in get_resolver().reverse_dict if isinstance(name, str)} | {"mfa_activate_totp"}
    assert set(browser_policy._MORE) <= names
    assert set().union(*(more_for(name).features for name in names)) <= set(FEATURES)


def test_the_hosts_of_twilio_are_named_where_calls_go_through_it_and_on_that_page_alone(
    production: LiveServer, start_server: StartServer, visit: Visit
) -> None:
    keys = {"VIDEO": "twilio", "TWILIO_API_KEY_SID": "SK1", "TWILIO_API_KEY_SECRET": "secret"}
    by_twilio = visit(start_server(**SETTINGS, **keys))
    ours = ["'self'", f"wss://{SITE}"]

    for visitor, more in ((visit(production), []), (by_twilio, TWILIO)):
        visitor.sign_in("customer@demo.test")
        assert directives(visitor.ask(f"/sessions/{UNTOUCHED}/"))["connect-src"] == ours + more
        assert directives(visitor.ask("/sessions/"))["connect-src"] == ours


def test_back_after_signing_out_shows_nothing(answers: dict[str, Answer]) -> None:
    for name in ("sessions", "admin", "table to download"):
        assert "no-store" in answers[name].header("Cache-Control")
    assert "no-store" not in answers["home"].header("Cache-Control")
    assert "immutable" in answers["script"].header("Cache-Control")


def test_nothing_says_what_the_server_is(answers: dict[str, Answer]) -> None:
    assert [name for name, answer in answers.items() if answer.headers["Server"] or answer.headers["X-Powered-By"]] == []
