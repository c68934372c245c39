"""What our Content-Security-Policy stopped, as browsers say and as servers are told. In every browser test: nothing."""

from playwright.sync_api import BrowserContext, ConsoleMessage

from tests.live import LiveServer

# Sentences in which Chromium's console reports what a policy forbade.
FORBIDDEN = ("Content Security Policy", "Content-Security-Policy", "Refused to", "Unrecognized feature")
# How a line of the server's log begins where a browser reported it (hopps.csp_reports).
REPORTED = "Content-Security-Policy stopped"
LISTEN = """
addEventListener("securitypolicyviolation", event => {
  const {effectiveDirective, blockedURI, sourceFile, lineNumber} = event;
  cspStopped(`${location.href}: ${effectiveDirective} ${blockedURI} (${sourceFile}:${lineNumber})`);
});
"""


class Violations:
    """Listens in every page of the contexts it is shown, and reads the logs of the servers it is shown."""

    def __init__(self) -> None:
        self._heard: list[str] = []
        self._servers: dict[LiveServer, int] = {}

    def listen_in(self, context: BrowserContext) -> None:
        """Hear of violations in the pages of `context`, those that are opened later included."""
        context.on("console", self._read)
        context.expose_function("cspStopped", self._stopped)
        context.add_init_script(LISTEN)

    def read_log_of(self, server: LiveServer) -> None:
        """Read, in the end, what `server` says from now on; a line that leads to one (peers/cutter.py) has no log."""
        if isinstance(server, LiveServer):
            self._servers.setdefault(server, len(_log_of(server)))

    def found(self) -> list[str]:
        """Return what was stopped since."""
        reported = [
            line
            for server, begin in self._servers.items()
            for line in _log_of(server)[begin:].splitlines()
            if REPORTED in line
        ]
        return [*self._heard, *reported]

    def _stopped(self, what: str) -> None:
        self._heard.append(what)

    def _read(self, message: ConsoleMessage) -> None:
        if any(words in message.text for words in FORBIDDEN):
            self._heard.append(f"{message.location.get('url')}: {message.text}")


def _log_of(server: LiveServer) -> str:
    log = server.folder / "server.log"
    return log.read_text(errors="replace") if log.exists() else ""
