"""What a step's inputs were when it last succeeded, worked out again from the facts of that time.

Facts keep the inputs' digest alone: they would be long, and the change that a result belongs to has all that is needed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from loopwright.engines.base import EngineReport
from loopwright.errors import LoopwrightError
from loopwright.ledger import Fact
from loopwright.loop.case import Case
from loopwright.loop.change import Change, digest
from loopwright.loop.differences import written_out
from loopwright.loop.pipeline import advance
from loopwright.loop.steps import plan
from loopwright.loop.view import View
from loopwright.spec import Workload


@dataclass(frozen=True)
class Recollection:
    """What decided an earlier result, as people name it; empty where that cannot be known any more."""

    inputs: Mapping[str, Any] = field(default_factory=dict)
    exact: bool = False  # whether today's Loopwright names these inputs as that one did


def recollect(
    facts: Iterable[Fact], wanted: Mapping[int, str], spec_of: Callable[[Change], Workload]
) -> dict[str, Recollection]:
    """For each fact wanted (sequence -> the step whose result it is): what that step's inputs were. By step.

    The facts are gone through once, so that each result is seen with what was known then: the champion of that time.
    """
    found: dict[str, Recollection] = {}
    view, left = View(), set(wanted)
    for fact in facts:
        if not left:
            break
        view.apply(fact)
        if fact.sequence in left:
            left.discard(fact.sequence)
            step = wanted[fact.sequence]
            found[step] = _recollected(view, fact, step, spec_of)
    return found


def _recollected(view: View, fact: Fact, name: str, spec_of: Callable[[Change], Workload]) -> Recollection:
    change = view.changes.get(fact.body.get("change", ""))
    if change is None:
        return Recollection()
    try:
        return _of_change(view, fact, change, name, spec_of(change))
    except (LoopwrightError, KeyError):  # deleted from the store, or of a form that is not read any more
        return Recollection()


def _of_change(view: View, fact: Fact, change: Change, name: str, spec: Workload) -> Recollection:
    case, steps = Case(spec, change, view), plan(spec)
    advance(case, steps, EngineReport(), "", fact.time, lambda step, output: True)
    step = next((step for step in steps if step.name == name), None)
    if step is None or any(need not in case.outputs for need in step.needs):
        return Recollection()
    return Recollection(written_out(step, case), digest(step.inputs(case)) == fact.body["inputs"])
