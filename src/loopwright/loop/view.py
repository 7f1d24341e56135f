"""The ledger's facts, indexed for the controllers' questions.

Built once from the ledger and kept in step with it: every fact is appended through `Book` (`book.py`), which hands it to the view.
All answers are about facts; what runs at this moment is the engine's to say.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Collection
from typing import Literal

from loopwright.ledger import Fact
from loopwright.loop.change import Change
from loopwright.loop.clock import STEP

Pair = tuple[str, str]
Ending = Literal["running", "held", "paused", "succeeded", "failed", "cancelled", "superseded"]
_OUTCOMES: dict[str, Ending] = {
    "change.completed": "succeeded",
    "change.failed": "failed",
    "change.cancelled": "cancelled",
    "change.superseded": "superseded",
}


class View:
    """Facts by the questions asked of them."""

    def __init__(self) -> None:
        self.changes: dict[str, Change] = {}
        self.newest: dict[str, str] = {}  # workload -> change id
        self.numbers: dict[str, int] = defaultdict(int)  # workload -> how many changes
        # change id -> change.completed, change.superseded or change.cancelled
        self.ended: dict[str, Fact] = {}
        self.failed: dict[str, Fact] = {}  # change id -> change.failed: it goes no further
        # ids of the changes whose clean-up tasks are not all over, in order
        self.unclean: dict[str, None] = {}
        self.failures: dict[Pair, Fact] = {}  # (change, step) -> step.failed
        self.clean_up_failures: dict[Pair, Fact] = {}  # as `failures`, of clean-up tasks: they fail no change
        # (change, step) -> job.failed, each to be tried again
        self.retries: dict[Pair, list[Fact]] = defaultdict(list)
        # environment -> (change, step) -> release.asked, in order of asking
        self.queues: dict[str, dict[Pair, Fact]] = defaultdict(dict)
        self.starts: dict[Pair, Fact] = {}  # (change, step) -> step.started
        self.jobs: dict[str, str] = {}  # job id -> change that started it
        self.open_runs: dict[str, str] = {}  # job id -> change: its run has begun, its job has not ended
        # (workload, step, inputs) -> newest step.succeeded
        self.successes: dict[tuple[str, str, str], Fact] = {}
        self.attempts: dict[tuple[str, str, str], int] = defaultdict(int)  # ended attempts at the same inputs
        # of these, lost through no fault of their own
        self.lost: dict[tuple[str, str, str], int] = defaultdict(int)
        self.approvers: dict[str, str] = {}  # change id -> who asked later that it be approved automatically
        self.awake: Fact | None = None  # control.started of the newest control plane
        # (sequence, seconds): how the clock was set, and when
        self.steps_of_clock: list[tuple[int, float]] = []
        self.approvals: dict[str, Fact] = {}  # approval id -> approval.requested
        # approval id -> approval.decided, one a person
        self.decisions: dict[str, list[Fact]] = defaultdict(list)
        # (environment, workload) -> release.completed
        self.releases: dict[Pair, list[Fact]] = defaultdict(list)
        # the same, without what was rolled back: what a rollback goes back along
        self.lineage: dict[Pair, list[Fact]] = defaultdict(list)
        self.transfers: dict[str, Fact] = {}  # id -> rollback.requested, promotion.requested
        self.routes: dict[Pair, Fact] = {}  # (environment, workload) -> route.wanted
        self.environments: dict[str, Fact] = {}  # Python environment's digest -> step.succeeded with its lock
        # the same digest -> environment.rebuilt, environment.failed
        self.rebuilds: dict[str, list[Fact]] = defaultdict(list)
        self.marks: dict[Pair, Fact] = {}  # (kind, key) -> newest of the other facts
        self.last: Fact | None = None

    def apply(self, fact: Fact) -> None:
        """Take in one fact."""
        handler = getattr(self, "_" + fact.kind.replace(".", "_").replace("-", "_"), None)
        if handler is not None:
            handler(fact)
        self.marks[fact.kind, fact.key] = fact
        self.last = fact

    def _change_requested(self, fact: Fact) -> None:
        self.changes[fact.key] = Change.from_fact(fact.key, fact.workload, fact.actor, fact.time, fact.body)
        self.newest[fact.workload] = fact.key
        self.numbers[fact.workload] += 1
        if self.changes[fact.key].cleans_up:
            self.unclean[fact.key] = None

    def _change_completed(self, fact: Fact) -> None:
        self.ended[fact.key] = fact

    def _change_superseded(self, fact: Fact) -> None:
        self.ended[fact.key] = fact

    def _change_cancelled(self, fact: Fact) -> None:
        self.ended[fact.key] = fact

    def _change_failed(self, fact: Fact) -> None:
        self.failed[fact.key] = fact

    def _change_cleaned(self, fact: Fact) -> None:
        self.unclean.pop(fact.key, None)

    def _step_started(self, fact: Fact) -> None:
        self.starts[fact.body["change"], fact.body["step"]] = fact
        if job := fact.body.get("job"):
            self.jobs[job] = fact.body["change"]

    def _run_created(self, fact: Fact) -> None:
        if change := fact.body.get("change"):  # not told by release 0.1
            self.open_runs[fact.key] = change

    def _step_succeeded(self, fact: Fact) -> None:
        self.open_runs.pop(fact.body.get("job", ""), None)
        key = (fact.workload, fact.body["step"], fact.body["inputs"])
        self.successes[key] = fact
        if fact.body["step"] == "environment":
            self.environments[fact.body["output"].get("digest", "")] = fact
        self.attempts[key] += 1

    def _step_failed(self, fact: Fact) -> None:
        pair = (fact.body["change"], fact.body["step"])
        failures = self.clean_up_failures if fact.body.get("clean_up") else self.failures
        failures[pair] = fact
        self._leave(pair)
        self.open_runs.pop(self.job(fact.workload, fact.body["step"], fact.body["inputs"]), None)
        self.attempts[fact.workload, fact.body["step"], fact.body["inputs"]] += 1

    def _job_failed(self, fact: Fact) -> None:
        self.open_runs.pop(fact.key, None)
        self.retries[fact.body["change"], fact.body["step"]].append(fact)
        self.attempts[fact.workload, fact.body["step"], fact.body["inputs"]] += 1

    def _job_lost(self, fact: Fact) -> None:
        self.open_runs.pop(fact.key, None)
        key = (fact.workload, fact.body["step"], fact.body["inputs"])
        self.attempts[key] += 1
        self.lost[key] += 1

    def _job_cancelled(self, fact: Fact) -> None:
        self.open_runs.pop(fact.key, None)
        self.attempts[fact.workload, fact.body["step"], fact.body["inputs"]] += 1

    def _environment_rebuilt(self, fact: Fact) -> None:
        self.rebuilds[fact.body["digest"]].append(fact)

    def _environment_failed(self, fact: Fact) -> None:
        self.rebuilds[fact.body["digest"]].append(fact)

    def _control_started(self, fact: Fact) -> None:
        self.awake = fact
        if self.last is not None and fact.time < self.last.time - STEP:  # set back while nobody looked
            self.steps_of_clock.append((fact.sequence, fact.time - self.last.time))

    def _clock_stepped(self, fact: Fact) -> None:
        self.steps_of_clock.append((fact.sequence, fact.body["seconds"]))

    def _change_auto_approved(self, fact: Fact) -> None:
        self.approvers[fact.key] = fact.actor

    def _approval_requested(self, fact: Fact) -> None:
        self.approvals[fact.key] = fact

    def _approval_decided(self, fact: Fact) -> None:
        self.decisions[fact.key].append(fact)

    def newest_approval(self, name: str) -> Fact | None:
        """The newest request of an approval: asked for anew, it has a number behind its name."""
        found, number = self.approvals.get(name), 2
        while (later := self.approvals.get(f"{name}-{number}")) is not None:
            found, number = later, number + 1
        return found

    def _release_asked(self, fact: Fact) -> None:
        self.queues[fact.body["environment"]][fact.body["change"], fact.body["step"]] = fact

    def _release_withdrawn(self, fact: Fact) -> None:
        self._leave((fact.body["change"], fact.body["step"]))

    def _leave(self, pair: Pair) -> None:
        for queue in self.queues.values():
            queue.pop(pair, None)

    def _release_completed(self, fact: Fact) -> None:
        environment, change = fact.body["environment"], fact.body.get("transfer") or fact.body.get("change")
        self.releases[environment, fact.workload].append(fact)
        line, restored = self.lineage[environment, fact.workload], fact.body.get("restores")
        place = next((index for index, release in enumerate(line) if release.key == restored), len(line))
        del line[place:]
        line.append(fact)
        for pair in [pair for pair in self.queues[environment] if pair[0] == change]:
            self._leave(pair)

    def _rollback_requested(self, fact: Fact) -> None:
        self.transfers[fact.key] = fact
        self.numbers[fact.workload] += 1

    def _promotion_requested(self, fact: Fact) -> None:
        self._rollback_requested(fact)

    def proven(self, change: Change) -> Change:
        """The newest change that asks for the same and comes from a clean commit; the change itself where none does."""
        if change.clean:
            return change
        same = [one for one in self.changes.values() if one.clean and one.identity == change.identity]
        return same[-1] if same else change

    def releasing(self) -> set[Pair]:
        """Endpoints, by environment and workload, whose route a release under way may change."""
        queued = {
            (environment, asked.workload)
            for environment, queue in self.queues.items()
            for asked in queue.values()
        }
        return queued | {(fact.body["environment"], fact.workload) for fact in self.rollbacks()}

    def open_transfers(self) -> list[Fact]:
        """What asked for the transfers that have not ended."""
        return [fact for fact in self.transfers.values() if self.outcome(fact.key) == "running"]

    def promotion(self, environment: str, workload: str) -> Fact | None:
        """The promotion to an endpoint that is under way."""
        return next(
            (
                fact
                for fact in self.open_transfers()
                if fact.kind == "promotion.requested"
                and (fact.body["environment"], fact.workload) == (environment, workload)
            ),
            None,
        )

    def transferring(self, environment: str, workload: str) -> bool:
        """Whether a rollback or promotion to an endpoint has begun and not ended."""
        return any(
            (fact.body["environment"], fact.workload) == (environment, workload)
            and (fact.key, environment) in self.starts
            for fact in self.open_transfers()
        )

    def rollbacks(self) -> list[Fact]:
        """Those of them that are rollbacks: they wait for nothing, and a release to the same endpoint waits for them."""
        return [fact for fact in self.open_transfers() if fact.kind == "rollback.requested"]

    def rolled_back(self, environment: str, change: Change, inputs: str) -> Fact | None:
        """The rollback that took away what this change has released there; None where none did since it was asked for."""
        asked = self.mark("change.requested", change.id)
        releases = self.releases.get((environment, change.workload), [])
        for before, release in itertools.pairwise(releases):
            later = asked is not None and release.sequence > asked.sequence
            if later and release.body.get("by") == "rollback" and before.body["inputs"] == inputs:
                return release
        return None

    def _route_wanted(self, fact: Fact) -> None:
        self.routes[fact.body["environment"], fact.workload] = fact

    def _route_withdrawn(self, fact: Fact) -> None:
        pair = (fact.body["environment"], fact.workload)
        self.routes.pop(pair, None)
        if fact.body.get("retired"):  # for good: nothing is kept served there any more
            self.releases.pop(pair, None)
            self.lineage.pop(pair, None)
            self.marks.pop(("alias.moved", fact.key), None)

    def watched(self, jobs: Collection[str] = ()) -> list[Change]:
        """The changes that something may still have to be done for: the newest of each workload, and older ones that
        have not cleaned up, left the queue of an environment, taken in a job of theirs that the engine reports, or ended
        a run whose job never started.

        `jobs` are the ids of those that it reports. The newest changes come first.
        """
        queued = [change for queue in self.queues.values() for change, _ in queue]
        started = [change for job in jobs if self.stopped(change := self.jobs.get(job, ""))]
        began = [change for change in self.open_runs.values() if self.stopped(change)]
        named = dict.fromkeys([*self.newest.values(), *self.unclean, *queued, *started, *began])
        return [self.changes[one] for one in named if one in self.changes]

    def watched_transfers(self) -> list[Fact]:
        """The same of transfers: those that have not ended, or have not left the queue of an environment."""
        queued = {change for queue in self.queues.values() for change, _ in queue}
        return [
            fact for key, fact in self.transfers.items() if key in queued or self.outcome(key) == "running"
        ]

    def halted(self, change: str) -> bool:
        """Whether a person, or a newer change, has ended it."""
        ended = self.ended.get(change)
        return ended is not None and ended.kind != "change.completed"

    def stopped(self, change: str) -> bool:
        """Whether it came to its end before its work was done."""
        return change in self.failed or self.halted(change)

    def job(self, workload: str, step: str, inputs: str) -> str:
        """The name of the job that does a step with these inputs now: each attempt has its own."""
        return f"{workload}.{step}.{inputs[:12]}.{self.attempts[workload, step, inputs]}"

    def outcome(self, change: str) -> Ending:
        """How a change ended: succeeded, failed, cancelled or superseded; running where it has not."""
        ended = self.ended.get(change) or self.failed.get(change)
        return _OUTCOMES[ended.kind] if ended else "running"

    def elapsed(self, fact: Fact, now: float) -> float:
        """Seconds since a fact, whatever the clock was set to meanwhile; never negative."""
        later = (seconds for sequence, seconds in self.steps_of_clock if sequence > fact.sequence)
        return max(0.0, now - fact.time - sum(later))

    def mark(self, kind: str, key: str) -> Fact | None:
        """The newest fact of a kind and key."""
        return self.marks.get((kind, key))

    def automatic(self, change: Change) -> str:
        """Who asked that this change be approved without a person; empty where nobody did."""
        return change.actor if change.auto_approve else self.approvers.get(change.id, "")

    def current(self, environment: str, workload: str) -> Fact | None:
        """The newest completed release of a workload in an environment."""
        releases = self.releases.get((environment, workload))
        return releases[-1] if releases else None

    def aliased(self, release: Fact) -> bool:
        """Whether the registry's alias of its environment was moved to this release's version last."""
        moved = self.mark("alias.moved", f"{release.workload}@{release.body['environment']}")
        return moved is not None and moved.body["version"] == release.body["version"]

    def champion(self, environment: str, workload: str, package: str) -> Fact | None:
        """The newest release whose package is another than this one, of those that were not rolled back.

        Taking "another" keeps the answer the same before and after this package's own release, so that a second `up`
        with nothing changed asks for the same evaluation and finds it done.
        """
        line = self.lineage.get((environment, workload), [])
        return next((fact for fact in reversed(line) if fact.body["package"]["digest"] != package), None)
