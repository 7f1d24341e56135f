"""How far each change is, as people and programs are told; with a version number to wait on for news."""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from loopwright.errors import LoopwrightError, NotFoundError
from loopwright.loop.change import Change
from loopwright.loop.pipeline import Outcome
from loopwright.loop.view import Ending
from loopwright.loop.walk import StepState

_MOST = 100  # changes that are over and still shown
ChangeState = Ending | Literal["waiting", "troubled"]


@dataclass(frozen=True)
class Progress:
    """A change and its steps at one moment."""

    change: str
    workload: str
    state: ChangeState
    steps: tuple[StepState, ...]
    requested_at: float
    approval: str = ""  # id of the approval that is waited for
    trouble: str = ""  # why nobody can say how it stands

    @classmethod
    def of(cls, change: Change, states: Sequence[StepState], outcome: Outcome) -> Progress:
        """From the pipeline's answer."""
        waiting = next((state.approval for state in states if state.state == "approval"), "")
        state: ChangeState = "waiting" if waiting and outcome.state == "running" else outcome.state
        return cls(change.id, change.workload, state, tuple(states), change.requested_at, waiting)

    @classmethod
    def troubled(cls, change: Change, error: Exception, known: Progress | None) -> Progress:
        """Where the look at a change failed, by a fault of ours or of its record: what was last known of it, and why."""
        told = (
            error.message if isinstance(error, LoopwrightError) else f"a fault of Loopwright's own, {error!r}"
        )
        trouble = f"It cannot be told how {change.id} stands: {told} It is tried again; the control plane's log has more."
        steps = known.steps if known else ()
        return cls(change.id, change.workload, "troubled", steps, change.requested_at, trouble=trouble)

    def body(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)


class ProgressBoard:
    """The newest progress of each change; readers wait for a newer one."""

    def __init__(self) -> None:
        self._news = threading.Condition()
        self._shown: dict[str, tuple[int, Progress]] = {}

    def publish(self, progress: Progress) -> None:
        """Show it, and wake who waits, where it differs from what was shown."""
        with self._news:
            version, shown = self._shown.get(progress.change, (0, None))
            if shown != progress:
                self._shown.pop(progress.change, None)  # the one that changed last stands last
                self._shown[progress.change] = (version + 1, progress)
                self._news.notify_all()

    def known(self, change: str) -> Progress | None:
        """What is shown of a change now."""
        with self._news:
            return self._shown[change][1] if change in self._shown else None

    def forget(self, watched: Collection[str]) -> None:
        """Let go of what changed longest ago, where there is much: never of changes that are watched."""
        with self._news:
            over = [change for change in self._shown if change not in watched]
            for change in over[: max(0, len(over) - _MOST)]:
                del self._shown[change]

    def settle(self, outcomes: Mapping[str, Ending]) -> None:
        """Show the end of those that are shown as under way and have ended."""
        with self._news:
            shown = [(self._shown[one][1], ending) for one, ending in outcomes.items() if one in self._shown]
        for progress, ending in shown:
            if ending != "running" and progress.state in ("running", "waiting"):
                self.publish(replace(progress, state=ending, approval=""))

    def get(self, change: str, after: int = 0, timeout: float = 0.0) -> tuple[int, Progress]:
        """The newest progress and its version; waits up to `timeout` seconds for one newer than `after`."""
        with self._news:
            self._news.wait_for(lambda: change in self._shown and self._shown[change][0] > after, timeout)
            if change not in self._shown:
                raise NotFoundError(
                    f"No change {change} is under way here. `loopwright status` lists what is."
                )
            return self._shown[change]
