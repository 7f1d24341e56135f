"""The four kinds of steps."""

from __future__ import annotations

import json
import sys
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from loopwright.catalog import Store
from loopwright.engines.base import Job, JobStatus
from loopwright.errors import Place, StepFailed, read_places
from loopwright.loop.case import Case, Kept, Output, Services
from loopwright.loop.places import in_scripts
from loopwright.release import Rule
from loopwright.state import replace_file

_LAST_LINES = 12
_LOG_END = 64 * 1024  # bytes; a traceback with all its frames


class Step(ABC):
    """What all steps have."""

    name: str
    needs: tuple[str, ...] = ()
    own = False  # a task of the workload's: its failure alone stops only what needs it
    always = False  # a clean-up: it runs once the change is over
    repeats = (
        False  # done again with equal inputs, its output is equal: only files that are gone are made anew
    )
    each_change = False  # done for every change: no result of an earlier one is used

    @abstractmethod
    def inputs(self, case: Case) -> dict[str, Any]:
        """All that decides the result; called once every step in `needs` has its output."""

    def available(self, output: Output, kept: Kept) -> bool:
        """Whether an earlier result can still be used: what it points to may have been deleted."""
        del output, kept
        return True

    def summary(self, output: Output) -> str:
        """The result in a few words, for people."""
        del output
        return ""

    def called(self, case: Case) -> Mapping[str, str]:
        """How people call what is in `inputs`, for `plan`: key -> words, "" where the names inside it say enough."""
        del case
        return {}

    def details(self, case: Case) -> Mapping[str, Any]:
        """What `inputs` names only by a digest, written out for `plan`."""
        del case
        return {}

    def fresh(self, case: Case, earlier: Sequence[Output], store: Store) -> frozenset[str]:
        """Which fields of the output will differ from those of all `earlier` results, whatever the work brings.

        Lets `plan` say that what reads them runs, and not only that it may. Fields that are not known to are left out.
        """
        del case, earlier, store
        return frozenset()


class JobStep(Step):
    """A step that the engine runs as a process of its own."""

    asks: tuple[str, ...] = ()  # environments whose endpoints the job asks: it starts only while these serve
    attempts = 1  # how often it is tried in all where it fails
    delay = 0.0  # seconds before it is tried again

    @abstractmethod
    def job(self, case: Case, services: Services, job_id: str, folder: Path) -> Job:
        """Prepare the job's folder and say what to run; may be called again after a crash."""

    @abstractmethod
    def result(self, case: Case, services: Services, job_id: str, folder: Path) -> dict[str, Any]:
        """Read and keep what a job that succeeded has left; raises StepFailed for a definite no."""

    def failed(
        self, case: Case, services: Services, job_id: str, folder: Path, status: JobStatus
    ) -> StepFailed:
        """Say why a job failed: its own error where it wrote one, else how it ended and its last lines."""
        del services, job_id
        written = folder / "error.json"
        if not written.exists():
            return StepFailed(f"{self._ending(status)}{last_lines(folder / 'log.txt')}")
        told = _read(written, self.name)
        known = read_places(told.get("details", {})) or in_scripts(told["message"], case.change.files)
        known = known or in_scripts(log_end(folder / "log.txt"), case.change.files)
        return StepFailed(told["message"], known or (self.rests_on(case) if told["code"] == "step" else ()))

    def cancelled(self, case: Case, services: Services, job_id: str, folder: Path) -> None:
        """Settle what a job has left open elsewhere that was ended because nothing wants it any more."""

    def rests_on(self, case: Case) -> tuple[Place | str, ...]:
        """Where to look for the reason of a definite no that names no place of its own."""
        del case
        return ()

    def _ending(self, status: JobStatus) -> str:
        if status.reason == "max_duration":
            return f"The {self.name} job took longer than its max_duration and was ended."
        if status.reason == "memory":
            return f"The {self.name} job used more memory than its limit and was ended."
        if status.reason == "exit":
            return f"The {self.name} job ended with exit status {status.exit_code}."
        return f"The {self.name} job failed ({status.reason or 'unknown'})."


class CallStep(Step):
    """A step of a few calls, done by the control plane itself. Must be safe to repeat."""

    @abstractmethod
    def call(self, case: Case, services: Services) -> dict[str, Any]:
        """Do it and return the output."""


class Entering(Step):
    """A step on the way into an environment."""

    environment: str
    promoted_from: str = (
        ""  # the environment that `loopwright promote` brings it from; empty where `up` goes on by itself
    )
    protected = False  # only what comes from a clean commit may enter


class ApprovalStep(Entering):
    """A step that a person decides."""

    @abstractmethod
    def approval_id(self, case: Case) -> str:
        """What `loopwright approve` is given; a number is added where it is asked for anew."""

    def rule(self, case: Case) -> Rule:
        """Whose yes is needed."""
        del case
        return Rule()

    def authors(self, case: Case) -> frozenset[str]:
        """Names by which the author of the change, and who asked for it, may be known."""
        del case
        return frozenset()

    def wanted(self, case: Case) -> str:
        """The digest of the release's inputs that it is asked for: where that serves, nobody need be asked."""
        del case
        return ""


class ReleaseStep(Entering):
    """A step that brings the revision into an environment and is done while it serves there."""

    @abstractmethod
    def replica_set(self, case: Case) -> str:
        """The name of its replica set."""

    @abstractmethod
    def revision(self, case: Case) -> str:
        """The digest of the package with its serving settings."""


def our_job(
    module: str, step: str, case: Case, job_id: str, folder: Path, given: Mapping[str, Any], **limits: Any
) -> Job:
    """A job that runs a module of ours (see `loopwright.jobs`) on this input."""
    replace_file(folder / "input.json", json.dumps(given, allow_nan=False).encode())
    return Job(
        id=job_id,
        workload=case.change.workload,
        step=step,
        command=(sys.executable, "-m", module, str(folder)),
        directory=str(folder),
        **limits,
    )


def our_output(folder: Path, job: str) -> dict[str, Any]:
    """What a job of ours has written."""
    written = folder / "output.json"
    if not written.exists():
        raise StepFailed(f"The {job} job ended without a result.{last_lines(folder / 'log.txt')}")
    return _read(written, job)


def _read(file: Path, job: str) -> dict[str, Any]:
    try:
        content = json.loads(file.read_bytes())
    except ValueError:
        content = None
    if not isinstance(content, dict):
        raise StepFailed(
            f"What the {job} job has left in {file} is not the JSON object that it wrote: the file was changed or cut off. "
            "`loopwright up` does the step again."
        )
    return content


def log_end(log: Path) -> str:
    """The last 64 KiB of a job's log, empty where there is none."""
    try:
        with log.open("rb") as stream:
            stream.seek(max(0, log.stat().st_size - _LOG_END))
            return stream.read().decode(errors="replace")
    except FileNotFoundError:
        return ""


def last_lines(log: Path) -> str:
    """The end of a job's log as an indented block, empty where there is none."""
    try:
        lines = log.read_text(errors="replace").splitlines()[-_LAST_LINES:]
    except FileNotFoundError:
        return ""
    return "".join(f"\n    {line}" for line in lines)
