"""`plan`: what `up` would do and why, worked out without doing anything.

Reads the folder, the ledger and what the engine observed; starts nothing, and leaves nothing behind.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from loopwright.catalog import LookingStore
from loopwright.engines.base import Capability, EngineReport
from loopwright.engines.local.observing import observed_report
from loopwright.ledger import Fact
from loopwright.loop.case import Case, Kept
from loopwright.loop.change import Change
from loopwright.loop.differences import Difference, differences, written_out
from loopwright.loop.foresight import Foreseen, Foresight, foresee
from loopwright.loop.recollection import Recollection, recollect
from loopwright.loop.steps import ApprovalStep, CallStep, JobStep, ReleaseStep, Step
from loopwright.loop.steps import plan as steps_of
from loopwright.loop.steps.approval import rule_of
from loopwright.loop.variables import environment_variables, training_variables
from loopwright.loop.view import View
from loopwright.operations.approving import unmet
from loopwright.operations.capability import capabilities
from loopwright.operations.captured import capture
from loopwright.operations.declaration import Declared, read_declaration
from loopwright.operations.plan_words import does, in_short, last_line, who, why
from loopwright.operations.reading import read_facts
from loopwright.operations.wish import next_id, taken_up, wish
from loopwright.secrets.providers import Secrets
from loopwright.spec import Workload, load_stored
from loopwright.state import StateFolder

_OF_PACKAGE = ("champion", "the release to replace")  # what these are depends on what the package is


def prospect(case: Case, report: EngineReport, kept: Kept) -> str:
    """What will be done for a change, in one line; for `up`, when it begins."""
    return in_short(foresee(case, steps_of(case.spec), report, time.time(), kept))


def plan(state: StateFolder, folder: str, again: bool = False) -> dict[str, Any]:
    """What `up` would do with a folder: see docs/plan.md for the form of the answer; `again` is as for `up`.

    Raises SpecError for a wrong spec, and for one that asks of an engine what it cannot do.
    """
    declared = read_declaration(Path(folder))
    judged = capabilities(declared)
    store = LookingStore(state.store)
    captured, _ = capture(declared, os.environ, Secrets(state, looking=True))
    asked = wish(declared, store, auto_approve=False, actor="", now=time.time(), captured=captured)
    facts = read_facts(state, declared.spec.workload)
    view = View()
    for fact in facts:
        view.apply(fact)
    known = None if again else taken_up(view, asked)
    change = known or replace(asked, id=next_id(view, asked.workload))
    case = Case(declared.spec, change, view)
    foresight = foresee(
        case, steps_of(declared.spec), observed_report(state), time.time(), Kept(state, store)
    )
    recollected = _recollected(foresight, facts, store, declared)
    left = _left(view, declared.spec)
    return {
        "change": change.id,
        "workload": change.workload,
        "folder": str(declared.folder),
        "under_way": known is not None and change.id not in view.ended,
        "changes": not foresight.nothing,
        "steps": [_step(foreseen, foresight.case, recollected) for foreseen in foresight.steps],
        "environments": [
            _environment(foreseen.step, foreseen, foresight.case)
            for foreseen in foresight.steps
            if isinstance(foreseen.step, ReleaseStep)
        ],
        "left": left,
        "variables": _variables(declared.spec, asked),
        "secrets": sorted(asked.secrets),
        "capabilities": _capabilities(declared, judged),
        "warnings": [*map(str, declared.warnings), *unmet(declared.spec)],
        "sentence": last_line(foresight, len(left)),
    }


def _recollected(
    foresight: Foresight, facts: Sequence[Fact], store: LookingStore, declared: Declared
) -> dict[str, Recollection]:
    specs: dict[str, Workload] = {foresight.case.change.spec: declared.spec}

    def spec_of(change: Change) -> Workload:
        if change.spec not in specs:
            specs[change.spec] = load_stored(store.file(change.spec))
        return specs[change.spec]

    wanted = {s.since.sequence: s.step.name for s in foresight.steps if s.since and not s.lost}
    return recollect(facts, wanted, spec_of)


def _step(foreseen: Foreseen, case: Case, recollected: Mapping[str, Recollection]) -> dict[str, Any]:
    step, change = foreseen.step, case.change.id
    earlier = recollected.get(step.name, Recollection())
    found: tuple[Difference, ...] = ()
    if earlier.inputs and not step.each_change:
        found = differences(earlier.inputs, written_out(step, case), _names(case.view))
    if not foreseen.certain:  # against which champion depends on what package turns out to be
        found = tuple(difference for difference in found if difference.what not in _OF_PACKAGE)
    reason = why(foreseen, change, found, bool(earlier.inputs))
    if isinstance(step, ApprovalStep) and foreseen.deed == "ask" and not foreseen.under_way:
        reason = f"{who(step.rule(case))}; {reason}"
    return {
        "step": step.name,
        "kind": _kind(step),
        "needs": list(step.needs),
        "does": does(foreseen),
        "certain": foreseen.certain,
        "why": reason,
        "differences": [asdict(difference) for difference in found],
        "awaits": [f"{name}.{field}" for name, field in foreseen.awaits],
        "reuses": foreseen.reuses.body["change"] if foreseen.reuses else None,
        "since": foreseen.since.body["change"] if foreseen.since else None,
    }


def _kind(step: Step) -> str:
    if step.own:
        return "task"
    kinds = {JobStep: "job", CallStep: "call", ApprovalStep: "approval", ReleaseStep: "release"}
    return next(name for kind, name in kinds.items() if isinstance(step, kind))


def _names(view: View) -> dict[str, str]:
    """What people call a package, and a release of it."""
    releases = [fact for found in view.releases.values() for fact in found]
    return {
        name: f"{fact.workload}:{fact.body['version']}"
        for fact in releases
        for name in (fact.body["package"]["digest"], fact.key)
    }


def _environment(step: ReleaseStep, foreseen: Foreseen, case: Case) -> dict[str, Any]:
    """What comes to serve in an environment instead of what."""
    name, workload = step.environment, case.change.workload
    serving, current = case.spec.serving_in(name), case.view.current(name, workload)
    return {
        "environment": name,
        "engine": case.spec.environments[name].engine,
        "does": does(foreseen),
        "certain": foreseen.certain,
        "serves": f"{workload}:{current.body['version']}" if current else None,
        "replicas": {"min": serving.replicas.min, "max": serving.replicas.max},
        "route": f"/{name}/{workload}/score",
        "auth": serving.auth,
        "approval": _rule(case.spec, name),
    }


def _rule(spec: Workload, environment: str) -> dict[str, Any] | None:
    """Whose yes a release there needs; None where nobody's."""
    return asdict(rule_of(spec, environment)) if spec.environments[environment].approval.count else None


def _left(view: View, spec: Workload) -> list[dict[str, Any]]:
    """Environments that serve the workload and are not declared any more."""
    found = []
    for environment, workload in sorted(view.routes):
        current = view.current(environment, workload)
        if workload == spec.workload and environment not in spec.environments and current is not None:
            version = f"{workload}:{current.body['version']}"
            sentence = (
                f"no longer declared; {version} goes on serving there until `loopwright retire {environment}`"
            )
            found.append({"environment": environment, "serves": version, "sentence": sentence})
    return found


def _variables(spec: Workload, change: Change) -> dict[str, list[str]]:
    """The names of what user code finds in its environment, by who finds it; never a value."""
    seen = {"training": training_variables(spec, change)}
    seen |= {name: environment_variables(spec, change, name) for name in spec.environments}
    return {who: sorted(variables) for who, variables in seen.items()}


def _capabilities(declared: Declared, judged: Mapping[str, tuple[Capability, ...]]) -> list[dict[str, Any]]:
    found = []
    for engine, verdicts in judged.items():
        for verdict in verdicts:
            line, _ = declared.positions.at(verdict.field)
            told = {"field": verdict.field, "verdict": verdict.verdict, "value": verdict.value}
            found.append({"engine": engine, **told, "sentence": verdict.sentence, "line": line})
    return found
