"""Which providers people may sign in by, as the environment says; half a provider is a sentence at the start."""

import pytest
from django.core.exceptions import ImproperlyConfigured
from pytest_django import Settings

from hopps import sign_in_providers

GOOGLE = {"GOOGLE_CLIENT_ID": "g", "GOOGLE_CLIENT_SECRET": "s"}
COGNITO = {"COGNITO_DOMAIN": "https://acme.auth.example.com/", "COGNITO_CLIENT_ID": "c", "COGNITO_CLIENT_SECRET": "s"}


def oidc(name: str, **changes: str) -> dict[str, str]:
    its = {"SERVER_URL": f"https://{name}.example.org/realm", "CLIENT_ID": f"id-{name}", "CLIENT_SECRET": "s"} | changes
    return {f"OIDC_{name.upper()}_{part}": value for part, value in its.items()}


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    return monkeypatch


def read(environment: pytest.MonkeyPatch, its: dict[str, str], *, development: bool = False) -> dict[str, object]:
    for name, value in its.items():
        environment.setenv(name, value)
    return sign_in_providers.from_environment(development=development)


def test_there_is_none_unless_it_is_set_up(environment: pytest.MonkeyPatch) -> None:
    assert read(environment, {}) == {}


def test_each_provider_is_there_by_its_settings_with_pkce(environment: pytest.MonkeyPatch, settings: Settings) -> None:
    everything = GOOGLE | COGNITO | oidc("acme") | oidc("globex", NAME="Globex Inc.") | {"OIDC_PROVIDERS": "acme, globex"}

    found = read(environment, everything)

    assert list(found) == ["google", "amazon_cognito", "openid_connect"]
    settings.SOCIALACCOUNT_PROVIDERS = found
    google, cognito, connect = (settings.SOCIALACCOUNT_PROVIDERS[name] for name in found)
    assert google["OAUTH_PKCE_ENABLED"] and cognito["OAUTH_PKCE_ENABLED"]  # noqa: PT018  one rule
    assert cognito["DOMAIN"] == "https://acme.auth.example.com"
    assert [(app["provider_id"], app["name"]) for app in connect["APPS"]] == [("acme", "Acme"), ("globex", "Globex Inc.")]
    assert all(app["settings"]["oauth_pkce_enabled"] for app in connect["APPS"])


@pytest.mark.parametrize(
    ("its", "sentence"),
    [
        (
            {"GOOGLE_CLIENT_ID": "g"},
            "GOOGLE_CLIENT_SECRET missing: set all of GOOGLE_CLIENT_ID, GOOGLE_CLIENT_SECRET, or none",
        ),
        ({"COGNITO_DOMAIN": "https://a.example.org"}, "COGNITO_CLIENT_ID and COGNITO_CLIENT_SECRET missing"),
        (COGNITO | {"COGNITO_DOMAIN": "acme.auth.example.com"}, "COGNITO_DOMAIN must be an address such as https://"),
        (COGNITO | {"COGNITO_DOMAIN": "http://acme.example.com"}, "COGNITO_DOMAIN must be an address such as https://"),
        (GOOGLE | {"GOOGLE_BASE": "https://evil.example.org"}, "GOOGLE_BASE is for tests"),
        ({"OIDC_PROVIDERS": "acme"}, "set OIDC_ACME_SERVER_URL, OIDC_ACME_CLIENT_ID and OIDC_ACME_CLIENT_SECRET"),
        ({"OIDC_PROVIDERS": "acme"} | oidc("acme", CLIENT_SECRET=""), "OIDC_ACME_CLIENT_SECRET missing"),
        ({"OIDC_PROVIDERS": "acme"} | oidc("acme", SERVER_URL="ftp://x"), "OIDC_ACME_SERVER_URL must be an address"),
        ({"OIDC_PROVIDERS": "google"} | oidc("google"), "OIDC_PROVIDERS takes names of your own"),
        ({"OIDC_PROVIDERS": "Acme Inc"}, "'Acme Inc' is none"),
        ({"OIDC_PROVIDERS": "acme,acme"} | oidc("acme"), "each once"),
        (
            {"OIDC_PROVIDERS": "acme,globex"} | oidc("acme", CLIENT_ID="hopps") | oidc("globex", CLIENT_ID="hopps"),
            "OIDC_ACME_CLIENT_ID must differ",
        ),
    ],
)
def test_wrong_or_half_settings_are_a_sentence(environment: pytest.MonkeyPatch, its: dict[str, str], sentence: str) -> None:
    with pytest.raises(ImproperlyConfigured) as problem:
        read(environment, its)

    assert sentence in str(problem.value)


def test_on_ones_own_machine_a_provider_may_be_there_too(environment: pytest.MonkeyPatch) -> None:
    its = COGNITO | GOOGLE | {"COGNITO_DOMAIN": "http://127.0.0.1:9000", "GOOGLE_BASE": "http://127.0.0.1:9001"}

    assert set(read(environment, its, development=True)) == {"google", "amazon_cognito"}
