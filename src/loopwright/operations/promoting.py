"""Bring what serves in one environment to a later one, as it is: the same package, with that environment's settings."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from loopwright.engines.base import EngineReport
from loopwright.errors import ConflictError, NotFoundError
from loopwright.ledger import Fact
from loopwright.loop.asking import unclean
from loopwright.loop.case import Case
from loopwright.loop.change import digest
from loopwright.loop.released import released
from loopwright.loop.steps import Entering, Step, plan
from loopwright.loop.steps.deploy import DeployStep
from loopwright.loop.steps.plan import entering
from loopwright.loop.view import View
from loopwright.operations.control import ControlPlane
from loopwright.operations.naming import pick
from loopwright.operations.wish import next_id, transfer_made_of
from loopwright.spec import Workload


@dataclass(frozen=True)
class Wish:
    """What a person asks for."""

    source: str
    target: str
    workload: str | None = None
    skip: bool = False  # the environments between the two
    comment: str = ""
    token: str = ""  # random, made once by who asks: asked twice with the same one, it is one promotion


def promote(control: ControlPlane, wish: Wish, actor: str) -> dict[str, Any]:
    """Ask that the package which serves in one environment serve in a later one; it is not trained or packaged again.

    One that is under way already is taken up again. Raises NotFoundError for what is not known, and ConflictError where
    the order of environments, a step that has not passed, or the target's protection stands against it.
    """
    report = control.engine.report()
    with control.book.locked():
        made = transfer_made_of(control.book.view, wish.token)
        asked, new = (made, True) if made is not None else _request(control, wish, actor, report)
    control.engine.ring()
    return {
        "transfer": asked.key,
        "workload": asked.workload,
        "environment": asked.body["environment"],
        "source": asked.body["source"],
        "to": f"{asked.workload}:{asked.body['version']}",
        "new": new,
    }


def _request(control: ControlPlane, wish: Wish, actor: str, report: EngineReport) -> tuple[Fact, bool]:
    """Record what is asked for, unless it is under way; returns it, and whether it is new. Hold the book's lock."""
    book, view, now = control.book, control.book.view, time.time()
    workload, release = _source(view, wish)
    change = view.changes[release.body["change"]]
    spec = control.driver.spec(change)
    _require_order(spec, wish)
    case = replace(released(view, release, spec), revisions={})
    known = view.promotion(wish.target, workload)
    if known is not None and known.body["release"] == release.key:
        return known, False
    _require_new(view, case, wish, release)
    _require_allowed(replace(case, change=view.proven(change)), wish)
    outcome_case, _ = control.driver.look(change, report, "")
    _require_passed(plan(spec), outcome_case, wish, workload, release)
    name = next_id(view, workload)
    if known is not None:
        book.append("change.superseded", workload, known.key, {"by": name}, actor, now)
    body = _body(view, wish, workload, release)
    return book.append("promotion.requested", workload, name, body, actor, now), True


def _body(view: View, wish: Wish, workload: str, release: Fact) -> dict[str, Any]:
    serving = view.current(wish.target, workload)
    return {
        "environment": wish.target,
        "source": wish.source,
        "release": release.key,
        "version": release.body["version"],
        "from": serving.body["version"] if serving else None,
        "comment": wish.comment,
        "skip": wish.skip,
        "token": wish.token,
    }


def _source(view: View, wish: Wish) -> tuple[str, Fact]:
    serving = {pair: facts[-1] for pair, facts in view.releases.items() if facts}
    known = list(dict.fromkeys(workload for _, workload in serving))
    if not known:
        raise NotFoundError("Nothing serves yet: `loopwright up`.")
    if wish.workload is None and len(known) > 1:
        raise NotFoundError(f"Which workload? One of {', '.join(known)}.")
    workload = pick(wish.workload, known, "workload") if wish.workload else known[0]
    where = [environment for environment, name in serving if name == workload]
    if wish.source not in where:
        raise NotFoundError(
            f"Nothing of {workload} serves in {wish.source}. It serves in: {', '.join(where)}."
        )
    return workload, serving[wish.source, workload]


def _require_order(spec: Workload, wish: Wish) -> None:
    names = list(spec.environments)
    target = pick(wish.target, names, "environment")
    if target != wish.target:
        raise NotFoundError(f"No environment {wish.target!r} is known here. Did you mean {target}?")
    if names.index(target) <= names.index(wish.source):
        raise ConflictError(
            f"{target} does not come after {wish.source}, but the order is {', '.join(names)}. "
            f"To take {target} back to an earlier version: `loopwright rollback {target}`."
        )
    between = names[names.index(wish.source) + 1 : names.index(target)]
    if between and spec.environments[target].protected:
        raise ConflictError(
            f"{target} is protected, so {', '.join(between)} cannot be left out. First: `loopwright promote {wish.source} {between[0]}`."
        )
    if between and not wish.skip:
        raise ConflictError(
            f"{', '.join(between)} comes between {wish.source} and {target}. First: `loopwright promote {wish.source} {between[0]}`; "
            "to leave it out, say --skip."
        )


def _require_new(view: View, case: Case, wish: Wish, release: Fact) -> None:
    serving = view.current(wish.target, release.workload)
    wanted = digest(DeployStep(wish.target, ()).inputs(case))
    if serving is not None and serving.body["inputs"] == wanted:
        raise ConflictError(
            f"{release.workload}:{release.body['version']} serves in {wish.target} already, with the same settings."
        )
    newest = view.newest.get(release.workload, "")
    by_itself = case.spec.environments[wish.target].promotion == "automatic"
    if by_itself and newest == release.body["change"] and view.outcome(newest) == "running":
        raise ConflictError(
            f"{newest} is under way and brings it to {wish.target} by itself; `loopwright status` says what it waits for."
        )


def _require_allowed(case: Case, wish: Wish) -> None:
    for step in entering(case.spec, wish.target):
        if isinstance(step, Entering) and (why := unclean(case.change, step)):
            raise ConflictError(why)


def _require_passed(steps: Sequence[Step], case: Case, wish: Wish, workload: str, release: Fact) -> None:
    """Every step that the release to the target waits for has passed; but for those into the environments around."""
    by_name = {step.name: step for step in steps}
    wanted, found = [step.name for step in entering(case.spec, wish.target)], set[str]()
    while wanted:
        step = by_name[wanted.pop()]
        found.add(step.name)
        wanted += [need for need in step.needs if need not in found]
    missing = [
        step.name
        for step in steps
        if step.name in found and not isinstance(step, Entering) and step.name not in case.outputs
    ]
    if missing:
        failure = case.view.failures.get((case.change.id, missing[0]))
        why = f": {failure.body['message']}" if failure else ""
        raise ConflictError(
            f"{workload}:{release.body['version']} has not passed {', '.join(missing)}, which {wish.target} asks for{why}"
        )
