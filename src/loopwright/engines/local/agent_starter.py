"""Starts the agent where none lives; the control plane's half of keeping each other alive."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Mapping

from loopwright.locks import held
from loopwright.log import logger
from loopwright.state import StateFolder

__all__ = ["AgentStarter", "agent_runs"]

_AGAIN = 1.0  # seconds between two starts
_log = logger("engine")


def agent_runs(state: StateFolder) -> bool:
    """Whether an agent lives in this state folder."""
    return held(state.agent_lock)


class AgentStarter:
    """Starts at most one at a time; may be called from any thread."""

    def __init__(self, state: StateFolder, environment: Mapping[str, str]) -> None:
        self._state, self._environment = state, dict(environment)
        self._child: int | None = None
        self._started_at = float("-inf")
        self._lock = threading.Lock()

    def ensure(self) -> None:
        """Start one, detached, unless one lives or is on its way up."""
        with self._lock:
            too_soon = time.monotonic() - self._started_at < _AGAIN
            if self._ended() and not too_soon and not agent_runs(self._state):
                self._start()

    def reap(self) -> None:
        """Wait for the end of the one that was started here, if it was."""
        with self._lock:
            if not self._ended() and self._child is not None:
                os.waitpid(self._child, 0)
                self._child = None

    def _ended(self) -> bool:
        if self._child is not None and os.waitpid(self._child, os.WNOHANG)[0] == self._child:
            self._child = None
        return self._child is None

    def _start(self) -> None:
        """No Popen: that object would have to outlive the agent, which is to outlive this process."""
        self._started_at = time.monotonic()
        command = [sys.executable, "-m", "loopwright.engines.local.agent", "--home", str(self._state.root)]
        log = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        self._child = os.posix_spawn(
            sys.executable,
            command,
            self._environment,
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                (os.POSIX_SPAWN_OPEN, 1, str(self._state.agent_log), log, 0o600),
                (os.POSIX_SPAWN_DUP2, 1, 2),
            ],
            setsid=True,
        )
        _log.info("the agent is started", extra={"action": "start-agent", "pid": self._child})
