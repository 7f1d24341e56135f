"""Any order of commands, crashes and losses ends in a consistent state: the controllers against a model of the world.

Ledger, view, store, steps, driver and operations are the real ones; the engine and the registry are a model.
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from model_world import Life
from tiny_workload import make_tiny

from loopwright.errors import ConflictError, NotFoundError
from loopwright.operations import approving, cancelling, changes, rollback

ENVIRONMENTS = "{dev: {}, prod: {approval: required}}"


def remove(folder: Path) -> None:
    """The store's folders are read-only."""
    for path in folder.rglob("*"):
        if path.is_dir():
            path.chmod(0o700)
    shutil.rmtree(folder)


class Controllers(RuleBasedStateMachine):
    """One workload with two environments, the second behind an approval."""

    @initialize()
    def begin(self) -> None:
        memory = Path("/dev/shm")  # thousands of appends, each made durable: a disk would take minutes
        self.root = Path(tempfile.mkdtemp(dir=memory if memory.is_dir() else None))
        self.work = make_tiny(self.root / "tiny", environments=ENVIRONMENTS)
        self.life = Life(self.root / "home")

    def teardown(self) -> None:
        if hasattr(self, "life"):
            try:
                self.settled()
            finally:
                self.life.ledger.close()
                remove(self.root)

    def ask(self, operation: Any, *words: Any) -> None:
        """A person's command; what cannot be done now is refused with one of our errors, and a crash loses no state."""

        def act() -> None:
            with contextlib.suppress(ConflictError, NotFoundError):
                operation(self.life.control, *words)

        self.life.survive(act)

    @rule(content=st.sampled_from("abc"), auto=st.booleans())
    def up(self, content: str, auto: bool) -> None:
        (self.work / "train.py").write_text(f"# {content}\n")
        self.ask(changes.up, str(self.work), auto, "ada")

    @rule(decision=st.sampled_from(["approve", "approve", "reject"]))
    def decide(self, decision: str) -> None:
        for approval in list(self.life.book.view.approvals)[-1:]:
            self.ask(approving.decide, approval, decision, "", "bob")

    @rule(environment=st.sampled_from(["dev", "prod"]))
    def rollback(self, environment: str) -> None:
        self.ask(rollback.rollback, [environment], "", "bob")

    @rule()
    def cancel(self) -> None:
        self.ask(cancelling.cancel, "tiny", "ada")

    @rule(times=st.integers(1, 25))
    def look(self, times: int) -> None:
        for _ in range(times):
            self.life.world.work()
            self.life.tick()

    @rule(operations=st.integers(1, 120), times=st.integers(1, 25))
    def crash_soon(self, operations: int, times: int) -> None:
        self.life.world.crash_in = operations
        self.look(times)
        self.life.world.crash_in = -1

    @rule()
    def look_while_jobs_run(self) -> None:
        self.life.tick()

    @rule(reason=st.sampled_from(["lost", "signal"]))
    def jobs_are_killed(self, reason: str) -> None:
        for job, status in self.life.world.jobs.items():
            if status.state == "running":
                self.life.world.end(job, reason, -9 if reason == "signal" else None)

    @rule()
    def replicas_are_forgotten(self) -> None:
        self.life.world.sets.clear()

    @rule()
    def the_environment_is_removed(self) -> None:
        for complete in self.life.state.environments.glob("*/complete"):
            complete.unlink()

    @invariant()
    def released_once_and_with_approval(self) -> None:
        if not hasattr(self, "life"):
            return
        facts = self.life.ledger.facts()
        released = [
            fact.body for fact in facts if fact.kind == "release.completed" and not fact.body.get("by")
        ]
        pairs = [(body["change"], body["environment"]) for body in released]
        assert len(pairs) == len(set(pairs))
        approved = {
            fact.key
            for fact in facts
            if fact.kind == "approval.decided" and fact.body["decision"] == "approve"
        }
        packages = {fact.key: fact.body["package"] for fact in facts if fact.kind == "approval.requested"}
        allowed = {packages[approval] for approval in approved}
        assert all(body["package"]["digest"] in allowed for body in released if body["environment"] == "prod")

    @invariant()
    def nothing_failed_by_a_fault_of_ours(self) -> None:
        if hasattr(self, "life"):
            failed = self.life.ledger.facts(kind="step.failed")
            assert not [fact.body for fact in failed if "fault of Loopwright" in fact.body["message"]]

    @invariant()
    def one_version_for_each_package(self) -> None:
        if hasattr(self, "life"):
            registered = [
                fact.body["output"]["version"]
                for fact in self.life.ledger.facts(kind="step.succeeded")
                if fact.body["step"] == "register"
            ]
            assert len(registered) == len(set(registered))

    @precondition(lambda self: hasattr(self, "life"))
    @rule()
    def settled(self) -> None:
        """Left alone, it comes to rest with what serves being what the ledger says, and nothing else kept."""
        life = self.life
        life.settle()
        assert life.ledger.verify().ok
        current = {key: releases[-1].body for key, releases in life.book.view.releases.items()}
        routed = {
            (route.environment, route.workload): route.backends[0].replica_set for route in life.world.routes
        }
        assert routed == {key: body["replica_set"] for key, body in current.items()}
        assert set(life.world.sets) >= set(routed.values())
        assert life.world.aliases == {key[0]: int(body["version"]) for key, body in current.items()}
        assert not [job for job, status in life.world.jobs.items() if status.state == "running"]
        for change in life.book.view.newest.values():
            shown = life.driver.board.get(change)[1]
            assert shown.state in ("succeeded", "failed", "cancelled", "waiting", "held"), shown


Controllers.TestCase.settings = settings(
    max_examples=60,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
TestControllers = Controllers.TestCase
