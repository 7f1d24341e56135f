"""Ask for a change, and follow it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from loopwright.errors import NotFoundError
from loopwright.loop.case import Case, Kept
from loopwright.loop.change import Change
from loopwright.loop.view import View
from loopwright.operations.approving import require_plain, unmet
from loopwright.operations.capability import capabilities
from loopwright.operations.captured import capture, keep, wanted_of_caller
from loopwright.operations.control import ControlPlane
from loopwright.operations.declaration import read_declaration
from loopwright.operations.planning import prospect
from loopwright.operations.wish import made_of, next_id, taken_up, wish
from loopwright.spec import Workload


def up(
    control: ControlPlane,
    folder: str,
    auto_approve: bool,
    actor: str,
    environment: Mapping[str, str] | None = None,
    again: bool = False,
    token: str = "",
) -> dict[str, Any]:
    """Ask that what a folder declares be brought to production.

    Where the newest change asks for just that already, that one is taken up again instead of a new one, unless `again`:
    what was rolled back is then released anew. Returns the
    change's id, whether it is new, what will be done in a line, and the spec's warnings. Raises SpecError, and changes nothing, for a wrong spec
    and for one that asks of an engine what it cannot do.

    `environment` is what the caller's environment has of what the spec needs; where it is not given and something is
    needed, nothing is done, and `needs` says what to ask again with.

    `token` is random and made once by the caller, who may ask again with it where the answer was lost: where the newest
    change has it, that one is the answer.
    """
    declared = read_declaration(Path(folder))
    capabilities(declared)
    if auto_approve:
        require_plain(declared.spec)
    needed = wanted_of_caller(declared.spec, declared.folder)
    if environment is None and any(needed.values()):
        return {"needs": needed}
    captured, brought = capture(declared, environment or {}, control.secrets)
    asked = wish(declared, control.store, auto_approve, actor, time.time(), captured)
    keep(brought, control.secrets, control.book, actor)
    report = control.engine.report()
    with control.book.locked():
        view = control.book.view
        # Numbered under the lock: of two that are asked for at once, each gets its own.
        repeated = made_of(view, asked.workload, token)
        known = None if again else taken_up(view, asked)
        protected = any(one.protected for one in declared.spec.environments.values())
        if known is not None and protected and asked.clean and not known.clean:
            known = None  # what it lacked to go on is there now: a commit
        known = repeated or known
        change = known or replace(asked, id=next_id(view, asked.workload), token=token)
        attached = known is not None
        finished = change.id in view.ended and change.id not in view.unclean
        plan = prospect(Case(declared.spec, change, view), report, Kept(control.state, control.store))
        if not attached:
            _request(control, change)
        if attached and auto_approve and not finished and not view.automatic(change):
            control.book.append(
                "change.auto-approved", change.workload, change.id, {"auto": True}, actor, time.time()
            )
    control.engine.ring()
    warnings = [*map(str, declared.warnings), *unmet(declared.spec), *_protections(declared.spec, change)]
    return {
        "change": change.id,
        "workload": change.workload,
        "new": not attached or repeated is not None,
        "finished": finished,
        "plan": plan,
        "warnings": warnings,
    }


def _protections(spec: Workload, change: Change) -> list[str]:
    """Environments that this change will not enter, each as a sentence."""
    if change.commit and not change.dirty:
        return []
    why = "has changes that are not committed" if change.commit else "is no git repository with a commit"
    return [
        f"{name} is protected, and this folder {why}: the change will stop before {name}. [protected]"
        for name, environment in spec.environments.items()
        if environment.protected
    ]


def _request(control: ControlPlane, change: Change) -> None:
    book, now = control.book, time.time()
    newest = book.view.newest.get(change.workload, "")
    if newest and book.view.outcome(newest) == "running":
        body = {"by": change.id}
        book.append("change.superseded", change.workload, newest, body, change.actor, now)
    book.append("change.requested", change.workload, change.id, change.body(), change.actor, now)


def progress(control: ControlPlane, change: str, after: int, wait: float) -> dict[str, Any]:
    """How far a change is: its newest version beyond `after`, waited for at most `wait` seconds."""
    ended = control.book.view.ended.get(change)
    if ended is not None and ended.kind == "change.superseded":
        by = ended.body["by"]
        return {
            "change": change,
            "workload": ended.workload,
            "state": "superseded",
            "by": by,
            "steps": [],
            "version": after + 1,
        }
    try:
        version, shown = control.driver.board.get(change, after, wait)
    except NotFoundError:
        with control.book.locked():
            return _of_the_past(control.book.view, change) | {"version": after + 1}
    by = {"by": ended.actor} if ended is not None and ended.kind == "change.cancelled" else {}
    return shown.body() | {"version": version} | by


def _of_the_past(view: View, transfer: str) -> dict[str, Any]:
    """The progress of a transfer that ended before this control plane began; raises NotFoundError for all else."""
    asked = view.transfers.get(transfer)
    if asked is None or view.outcome(transfer) == "running":
        raise NotFoundError(f"No change {transfer} is under way here. `loopwright status` lists what is.")
    steps = [
        {"step": step, "state": "failed", "message": fact.body["message"]}
        for (change, step), fact in view.failures.items()
        if change == transfer
    ]
    return {
        "change": transfer,
        "workload": asked.workload,
        "state": view.outcome(transfer),
        "steps": steps,
        "requested_at": asked.time,
    }
