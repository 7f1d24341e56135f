"""What the pipeline's controller can say is to be done; performed by `performer`, each as often as need be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from loopwright.engines.base import JobStatus
from loopwright.ledger import Fact
from loopwright.loop.steps import ApprovalStep, CallStep, JobStep, ReleaseStep
from loopwright.release import Failure, Move, Void


@dataclass(frozen=True)
class Start:
    """Submit a job."""

    step: JobStep
    inputs: str
    job: str


@dataclass(frozen=True)
class Finish:
    """Take in a job's end."""

    step: JobStep
    inputs: str
    job: str
    status: JobStatus


@dataclass(frozen=True)
class Call:
    """Perform a step of calls."""

    step: CallStep
    inputs: str


@dataclass(frozen=True)
class Ask:
    """Ask a person."""

    step: ApprovalStep
    inputs: str
    approval: str
    before: str = ""  # the approval that holds no longer, where it is asked for anew
    void: Void | None = None  # and why


@dataclass(frozen=True)
class Settle:
    """Turn people's decisions into the step's result."""

    step: ApprovalStep
    inputs: str
    approval: str
    decisions: tuple[Fact, ...]


@dataclass(frozen=True)
class Release:
    """Make one move of a release, or end it as failed."""

    step: ReleaseStep
    inputs: str
    move: Move | Failure


@dataclass(frozen=True)
class Enter:
    """Ask for a turn to release in an environment."""

    step: ReleaseStep
    inputs: str


@dataclass(frozen=True)
class Leave:
    """Give up the turn: what served before is wanted again."""

    step: ReleaseStep
    inputs: str


@dataclass(frozen=True)
class End:
    """Record that the change is in production, that it has failed, or that its clean-up is over."""

    kind: Literal["change.completed", "change.failed", "change.cleaned"]


Action = Start | Finish | Call | Ask | Settle | Release | Enter | Leave | End
