"""Starts the control plane again where it has died: it and the agent keep each other alive."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping

from loopwright.engines.local import bounded_log
from loopwright.engines.local.backoff import Backoff
from loopwright.locks import held
from loopwright.log import logger
from loopwright.state import StateFolder

__all__ = ["COMMAND", "ControlPlaneKeeper"]

COMMAND = (sys.executable, "-m", "loopwright.server", "--home")  # and the state folder
_AWAY = 1.0  # seconds without one until it is started: one that is being upgraded comes back by itself
_INTERVAL = 1.0
_log = logger("agent.control")


class ControlPlaneKeeper:
    """Looks at the control plane's lock."""

    def __init__(self, state: StateFolder, environment: Mapping[str, str]) -> None:
        self._state, self._environment = state, environment
        self._child: subprocess.Popen[bytes] | None = None
        self._away_since: float | None = None
        self._here_since: float | None = None
        self._lived = 0.0
        self._look_at = 0.0
        self._backoff = Backoff(first=2.0, longest=60.0)

    def tick(self, keep: bool, now: float) -> None:
        """Start it where it is wanted and has been away; never a second beside one that is starting."""
        starting = self._child is not None and self._child.poll() is None
        if not keep or now < self._look_at:
            return
        self._look_at = now + _INTERVAL
        bounded_log.rotate(str(self._state.control_log))
        if held(self._state.control_lock):
            self._away_since, self._here_since = None, now if self._here_since is None else self._here_since
            return
        if self._here_since is not None:
            self._lived, self._here_since = now - self._here_since, None
        self._away_since = now if self._away_since is None else self._away_since
        if not starting and now - self._away_since >= _AWAY and self._backoff.allows(now):
            self._start(now)

    def end_starting(self) -> None:
        """End one that was started and has not come to hold the lock: all is to be stopped, and it would begin anew."""
        if self._child is None or self._child.poll() is not None:
            return
        holder = self._state.control_lock.read_text(errors="replace").strip()
        if holder != str(self._child.pid):
            self._child.kill()

    def _start(self, now: float) -> None:
        self._backoff.failed(now, self._lived)
        self._lived = 0.0
        try:
            with self._state.control_log.open("ab") as log:
                self._child = subprocess.Popen(
                    [*COMMAND, str(self._state.root)],
                    cwd=self._state.root,
                    env=dict(self._environment),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
        except OSError as error:
            _log.error("the control plane cannot be started", extra={"action": "start", "error": str(error)})
        else:
            _log.info(
                "the control plane was away and is started", extra={"action": "start", "pid": self._child.pid}
            )
