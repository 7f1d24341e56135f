"""A process that goes on while the agent is dead, and that the next agent finds again: a replica, the tracking server.

A record file beside it holds pid and start time. The record is made before the process, without a pid: what a crash
between the two leaves running is found by its mark (see `processes`) and ended.
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from loopwright.engines.local import processes
from loopwright.state import replace_file

__all__ = ["KeptProcess"]


class KeptProcess:
    """One such process, in its own session; `folder` marks all that belongs to it."""

    def __init__(self, folder: Path, record: Path, facts: Mapping[str, Any]) -> None:
        self.folder = folder
        self.facts: dict[str, Any] = dict(facts)
        self._record = record
        self._child: subprocess.Popen[bytes] | None = None

    @classmethod
    def found(cls, folder: Path, record: Path) -> KeptProcess | None:
        """The one that an earlier agent recorded, alive or not; None where there is no readable record."""
        try:
            facts = msgspec.json.decode(record.read_bytes(), type=dict[str, Any])
        except (FileNotFoundError, msgspec.DecodeError):
            return None
        return cls(folder, record, facts)

    @property
    def pid(self) -> int | None:
        return self.facts.get("pid")

    def start(self, command: Sequence[str], variables: Mapping[str, str], log: Path) -> None:
        """Start it. Raises OSError where the system refuses."""
        self.note(pid=None, started=None)
        descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            self._child = subprocess.Popen(
                command,
                cwd=self.folder,
                env=dict(variables),
                stdin=subprocess.DEVNULL,
                stdout=descriptor,
                stderr=descriptor,
                start_new_session=True,
            )
        finally:
            os.close(descriptor)
        try:
            self.note(pid=self._child.pid, started=processes.started(self._child.pid))
        except OSError:  # what is not recorded would be lost with this agent
            self.facts["pid"] = self._child.pid
            self.end()
            raise

    def note(self, **facts: Any) -> None:
        """Record something that the next agent must know."""
        self.facts |= facts
        replace_file(self._record, msgspec.json.encode(self.facts))

    def alive(self) -> bool:
        """Whether the first process runs."""
        if self._child is not None:
            return self._child.poll() is None
        return self.pid is not None and processes.alive(self.pid, self.facts.get("started") or "")

    def exit_status(self) -> int | None:
        """How it ended, where it was this agent's own child."""
        return self._child.poll() if self._child is not None else None

    def memory(self, limit: int | None = None) -> int:
        """Bytes of memory held by it and all its descendants."""
        return processes.memory([self.pid, *processes.descendants(self.pid)], limit) if self.pid else 0

    def signal(self, number: signal.Signals) -> None:
        """Signal the first process, if it is still that process."""
        if self.pid is not None and self.alive():
            processes.send([self.pid], number)

    def end(self) -> bool:
        """SIGKILL it and all that belongs to it; True once nothing is left, else try again. The record goes with it."""
        gone = processes.end(self.pid or -1, str(self.folder), self.facts.get("started") or "", patience=0.5)
        if self._child is not None:
            self._child.poll()
        if gone:
            self._record.unlink(missing_ok=True)
        return gone
