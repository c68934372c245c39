"""The way of a release onto this host, and back from it.

    image ▸ services ▸ backup ▸ migrate ▸ static files ▸ start ▸ gate ▸ switch ▸ worker ▸ watch ▸ record ▸ drain

Up to "start" nothing that people use has changed, but for migrations, which the old release works with. From there on, until
"record", the old release runs on beside the new one, and whatever goes wrong leads back to it. From "record" on the new one
serves and is well: what goes wrong is said, and ends nothing. What is to be is
written down before it is done (home.py), so a deploy that was killed at any point is simply run again.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from script.lib.deploy.endings import ignore_endings
from script.lib.deploy.errors import Failed, Interrupted, Refused
from script.lib.deploy.home import Home, Slot, other
from script.lib.deploy.stack import BACKUP_SECONDS, MIGRATE_SECONDS, Stack, wait_for
from script.lib.deploy.steps import Steps

# Releases whose images stay on the host, to go back to at once.
KEPT_RELEASES = 5


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How long the new release is waited for and looked at, in seconds."""

    gate: float = 60.0  # to be ready
    watch: float = 10.0  # to stay well once people are sent to it, before the old one is drained
    every: float = 1.0  # between two looks


class WentBack(Exception):
    """The new release did not do. The old one serves, as before; the message says why."""


class NeedsAPerson(Exception):
    """The new release did not do, and going back failed as well. The message says what and why."""


@dataclass(frozen=True, kw_only=True)
class Deployer:
    """One host, its memory, and the deploy under way."""

    home: Home
    stack: Stack
    steps: Steps
    patience: Patience

    def deploy(self, release: str, *, backup: bool) -> None:
        """Put `release` on this host.

        Raises:
            Failed, Interrupted: before anything that serves changed; the old release serves.
            WentBack: later; the old release serves.
            NeedsAPerson: it could not be made to.
        """
        self._heal()
        serving = self.home.live_release()
        with self.steps.step("image"):
            self.steps.say(f"       {self.stack.tag(release)}: {self.stack.prepare_image(release)}")
        with self.steps.step("services"):
            self.stack.start_services()
            if serving:
                self.stack.load_proxy()
        if serving and backup:
            with self.steps.step("backup"):
                # Of the release that serves: it knows the tables as they are.
                self.stack.manage(serving, "backup", seconds=BACKUP_SECONDS)
        try:
            with self.steps.step("migrate"):
                self.stack.manage(release, "migrate", "--noinput", "--verbosity", "1", seconds=MIGRATE_SECONDS)
        except (Failed, Interrupted) as problem:
            works = f" Release {serving} works with them (docs/migrations.md): undo nothing." if serving else ""
            raise type(problem)(
                f"{problem}\nSome migrations may have been applied.{works} "
                'Put right what failed and deploy again: the runbook\'s "A migration that failed".'
            ) from problem
        self._replace(release, how="deploy")

    def roll_back(self, release: str | None) -> str | None:
        """Put an earlier release on this host again: `release`, or the one before the present one.

        Returns the release it came from, None where none served. The database stays as it is: migrations are made so that
        the release before works on it, too. Raises as `deploy`, and Refused where there is nothing to go back to.
        """
        self._heal()
        came_from = self.home.live_release()
        release = release or self._release_before()
        with self.steps.step("image"):
            self.steps.say(f"       {self.stack.tag(release)}: {self.stack.prepare_image(release)}")
        self._replace(release, how="rollback")
        return came_from

    def renew_services(self, *, backup: bool) -> None:
        """Bring database, Redis, relay and Caddy to what compose.yaml says now. People notice: some of them start anew.

        Raises Failed and Interrupted before anything changed, NeedsAPerson later.
        """
        serving = self.home.live_release()
        if serving and backup:
            with self.steps.step("backup"):
                self.stack.manage(serving, "backup", seconds=BACKUP_SECONDS)
        try:
            with self.steps.step("services"):
                self.stack.renew_services()
        except (Failed, Interrupted) as problem:
            raise NeedsAPerson(f"{problem}\nSome may have started anew and others not: look, and run it again.") from problem

    def _release_before(self) -> str:
        serving = self.home.live_release()
        for record in reversed(self.home.records()):
            if record.release != serving:
                return record.release
        raise Refused("There is no earlier release on this host to go back to.")

    def _heal(self) -> None:
        """Put right what a deploy that was killed left: what people are sent to serves."""
        live = self.home.live()
        if live is None:
            return
        with self.steps.step("as it stands"):
            try:
                self.stack.resume_web(live)
                if not self.stack.is_ready(live) and self.stack.is_ready(other(live)):
                    self.steps.say(f"       web-{live} is not ready and web-{other(live)} is: back to it.")
                    live = other(live)
                    self.home.point_to(live)
                self.stack.start_proxy()
            except Failed as problem:
                # The deploy may be what helps.
                self.steps.say(f"       Not as it should be: {problem}")

    def _replace(self, release: str, *, how: Literal["deploy", "rollback"]) -> None:
        """Start `release` in the idle slot, send people to it, drain the one before. Goes back by itself."""
        before = _Before(
            slot=self.home.live(), release=self.home.live_release(), worker_release=self.home.releases().get("worker")
        )
        slot = other(before.slot)
        try:
            self._bring_in(slot, release)
        except (Failed, Interrupted) as problem:
            self._go_back(before, slot, why=str(problem))
            raise WentBack(str(problem)) from problem
        self._afterwards(
            "record",
            lambda: self.home.add_record(release=release, slot=slot, seconds=self.steps.seconds, how=how),
            otherwise="--list and a later --rollback do not know of this deploy",
        )
        if old := before.slot:
            # What lingers ends when the next deploy takes its slot.
            self._afterwards(f"drain web-{old}", lambda: self.stack.stop_web(old), otherwise=f"web-{old} has not ended yet")
        self._afterwards("old images", self._tidy, otherwise="images of old releases may still take up space")

    def _afterwards(self, name: str, do: Callable[[], None], *, otherwise: str) -> None:
        """Do what follows once the new release serves and is well. It serves on whatever happens here; that is said."""
        try:
            with self.steps.step(name):
                do()
        except (Failed, Interrupted) as problem:
            self.steps.say(f"       The new release serves; {otherwise}: {problem}")

    def _bring_in(self, slot: Slot, release: str) -> None:
        steps, stack, home = self.steps, self.stack, self.home
        with steps.step("static files"):
            stack.keep_static_files(release)
        with steps.step(f"start web-{slot}"):
            home.set_release(f"web-{slot}", release)
            stack.start_web(slot)
        with steps.step("gate"):
            if not wait_for(lambda: stack.is_ready(slot), seconds=self.patience.gate, every=self.patience.every):
                raise Failed(
                    f"web-{slot} was not ready after {self.patience.gate:.0f} s.\n{stack.last_lines(f'web-{slot}')}"
                )
        with steps.step("switch"):
            home.point_to(slot)
            stack.start_proxy()
        with steps.step("worker"):
            home.set_release("worker", release)
            stack.start_worker()
        with steps.step("watch"):
            self._watch(slot, release)

    def _watch(self, slot: Slot, release: str) -> None:
        """Return when all was well for as long as patience says. Raises Failed when something was not, twice running."""
        unwell: list[str] = []

        def has_failed() -> bool:
            found = self._unwell(slot, release)
            failed = bool(found and unwell)
            unwell[:] = found
            return failed

        if wait_for(has_failed, seconds=self.patience.watch, every=self.patience.every):
            raise Failed(f"{' '.join(unwell)}\n{self.stack.last_lines(f'web-{slot}')}\n{self.stack.last_lines('worker')}")
        if unwell:
            raise Failed(" ".join(unwell))

    def _unwell(self, slot: Slot, release: str) -> list[str]:
        found = []
        if not self.stack.is_ready(slot):
            found.append(f"web-{slot} is no longer ready.")
        served = self.stack.served()
        if served != release:
            found.append(f"Through Caddy {f'release {served}' if served else 'nobody'} answers.")
        if not self.stack.worker_runs():
            found.append("The worker does not run.")
        return found

    def _go_back(self, before: "_Before", slot: Slot, *, why: str) -> None:
        ignore_endings()
        self.steps.say(f"{why}\nGoing back to {before.release or 'nothing: this was the first deploy'}.")
        try:
            with self.steps.step("go back"):
                if before.slot is None:
                    self.home.point_nowhere()
                    self.stack.stop_proxy()
                    self.home.set_release("worker", None)
                    self.stack.stop_worker()
                else:
                    self.home.point_to(before.slot)
                if before.slot and before.worker_release and self.home.releases().get("worker") != before.worker_release:
                    self.home.set_release("worker", before.worker_release)
                    self.stack.start_worker()
                self.stack.stop_web(slot)
                if before.slot and not self.stack.is_ready(before.slot):
                    raise Failed(f"web-{before.slot} is not ready.")
        except Failed as problem:
            raise NeedsAPerson(
                f'Going back failed as well: {problem}\nThe runbook\'s "An unhealthy release" says what to do.'
            ) from problem

    def _tidy(self) -> None:
        """Free the space of releases nobody goes back to."""
        newest_first = list(dict.fromkeys(record.release for record in reversed(self.home.records())))
        for release in newest_first[KEPT_RELEASES : 2 * KEPT_RELEASES]:
            self.stack.remove_image(release)


@dataclass(frozen=True, kw_only=True)
class _Before:
    """What served when the deploy began."""

    slot: Slot | None
    release: str | None
    worker_release: str | None
