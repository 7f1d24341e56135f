"""Where the output of jobs and replicas lies in a state folder; read also while nothing runs."""

from __future__ import annotations

from pathlib import Path

from loopwright.engines.local import job_files
from loopwright.engines.local.replica import LOG, RECORD
from loopwright.engines.local.replica_sets import folders
from loopwright.state import StateFolder

__all__ = ["StoredLogs"]


class StoredLogs:
    """The logs of one state folder."""

    def __init__(self, state: StateFolder) -> None:
        self._state = state

    def job_log(self, job_id: str) -> Path:
        """The file with a job's output."""
        return self._state.jobs / job_id / job_files.LOG

    def replica_logs(self, name: str) -> list[Path]:
        """Those of a set's living replicas; where none lives, the newest of the ended ones."""
        all_ = [folder for folder in folders(self._state.replicas, name) if (folder / LOG).exists()]
        living = [folder for folder in all_ if (folder / RECORD).exists()]
        return [folder / LOG for folder in living or all_[-1:]]
