"""Providers people sign in by, for the tests: real ones on loopback, written by others, in place of those on the internet.

oidc-provider-mock plays Google and a company's OpenID Connect provider ("acme"); oidc-provider of npm plays Amazon Cognito.
"""

import json
import urllib.request
from pathlib import Path
from urllib.parse import quote

from script.lib.processes import HOST, DidNotStart, ServerProcess, free_port
from tests.peers.faults import opener
from tests.peers.openapi import PEERS

ROOT = Path(__file__).resolve().parents[2]
MOCK = PEERS / "oidc-provider-mock" / "bin" / "python"
COGNITO = ROOT / "tests" / "peers" / "oidc_provider" / "cognito.js"
PORTS_TRIED = 3
CLIENT, SECRET = "hopps-tests", "not-much-of-one"


class SignInProviders:
    """Both of them."""

    def __init__(self, folder: Path) -> None:
        """Describe them; `start` starts them."""
        self._folder = folder
        self._processes: list[ServerProcess] = []
        self.url = ""
        self.cognito_url = ""

    def start(self) -> None:
        """Start both. Raises DidNotStart."""
        mock = [str(MOCK), "-m", "oidc_provider_mock", "--host", HOST, "--port"]
        self.url = self._serve("mock", mock, [])
        self.cognito_url = self._serve("cognito", ["node", str(COGNITO)], [CLIENT, SECRET])

    def _serve(self, name: str, command: list[str], more: list[str]) -> str:
        problem: DidNotStart | None = None
        for _ in range(PORTS_TRIED):  # somebody else may take the port between finding and using it
            port = free_port()
            url = f"http://{HOST}:{port}"
            process = ServerProcess(
                [*command, str(port), *more],
                url=f"{url}/.well-known/openid-configuration",
                log=self._folder / f"{name}.log",
                environment={"AUTHLIB_INSECURE_TRANSPORT": "1"},
                folder=ROOT,
            )
            try:
                process.start()
            except DidNotStart as caught:
                problem = caught
            else:
                self._processes.append(process)
                return url
        assert problem is not None
        raise problem

    @property
    def environment(self) -> dict[str, str]:
        """The settings by which Hopps offers all three."""
        return {
            "GOOGLE_CLIENT_ID": CLIENT,
            "GOOGLE_CLIENT_SECRET": SECRET,
            "GOOGLE_BASE": self.url,
            "COGNITO_DOMAIN": self.cognito_url,
            "COGNITO_CLIENT_ID": CLIENT,
            "COGNITO_CLIENT_SECRET": SECRET,
            "COGNITO_NAME": "Globex",
            "OIDC_PROVIDERS": "acme",
            "OIDC_ACME_NAME": "Acme",
            "OIDC_ACME_SERVER_URL": self.url,
            "OIDC_ACME_CLIENT_ID": CLIENT,
            "OIDC_ACME_CLIENT_SECRET": SECRET,
            # The providers are asked straight, whatever proxy the environment names.
            "NO_PROXY": HOST,
            "no_proxy": HOST,
        }

    def knows(self, login: str, **claims: object) -> None:
        """Say at both who `login` is: claims such as email, email_verified, given_name, family_name."""
        for url in (self.url, self.cognito_url):
            said = dict(claims)
            if url == self.cognito_url and "email_verified" in said:
                # Cognito writes booleans as words.
                said["email_verified"] = str(said["email_verified"]).lower()
            request = urllib.request.Request(
                f"{url}/users/{quote(login)}",
                json.dumps(said).encode(),
                {"Content-Type": "application/json"},
                method="PUT",
            )
            with opener.open(request, timeout=30):
                pass

    def stop(self) -> None:
        """End both."""
        for process in self._processes:
            process.stop()

    def log_tail(self) -> str:
        """Return the end of what they said."""
        return "\n".join(process.log_tail() for process in self._processes)
