"""Ask for a change, follow it, and decide where it waits for a person."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from loopwright.catalog import Snapshot, take_snapshot, unmatched
from loopwright.errors import ConflictError, NotFoundError
from loopwright.ledger import Fact
from loopwright.loop.change import Change, Source
from loopwright.loop.files import SPEC_FILE
from loopwright.operations.capability import capabilities
from loopwright.operations.control import ControlPlane
from loopwright.operations.declaration import read_declaration
from loopwright.spec import Workload


def up(control: ControlPlane, folder: str, auto_approve: bool, actor: str) -> dict[str, Any]:
    """Ask that what a folder declares be brought to production.

    Where the newest change asks for just that already, that one is taken up again instead of a new one. Returns the
    change's id, whether it is new, and the spec's warnings. Raises SpecError, and changes nothing, for a wrong spec
    and for one that asks of an engine what it cannot do.
    """
    declared = read_declaration(Path(folder))
    capabilities(declared)
    asked = _change(control, declared.spec, declared.folder, auto_approve, actor)
    with control.book.locked():
        view = control.book.view
        # Numbered under the lock: of two that are asked for at once, each gets its own.
        asked = replace(asked, id=f"{asked.workload}-{view.numbers[asked.workload] + 1}")
        newest = view.changes.get(view.newest.get(asked.workload, ""))
        attached = (
            newest is not None and newest.identity == asked.identity and not _failed(control, newest.id)
        )
        change = newest if attached and newest is not None else asked
        finished = change.id in view.ended
        if not attached:
            _request(control, asked, newest)
        if attached and auto_approve and not finished and not view.automatic(change):
            control.book.append(
                "change.auto-approved", change.workload, change.id, {"auto": True}, actor, time.time()
            )
    control.engine.ring()
    warnings = [str(warning) for warning in declared.warnings]
    return {
        "change": change.id,
        "workload": change.workload,
        "new": not attached,
        "finished": finished,
        "warnings": warnings,
    }


def _change(control: ControlPlane, spec: Workload, folder: Path, auto_approve: bool, actor: str) -> Change:
    now = time.time()
    sources = {}
    for name, data in spec.data.items():
        path = folder / data.source
        modified = path.stat().st_mtime
        stale = data.fresh_within is not None and now - modified > data.fresh_within
        sources[name] = Source(data.source, control.store.put_file(path), modified, stale)
    snapshot = take_snapshot(folder, control.store, exclude={source.path for source in sources.values()})
    _require_kept(spec, snapshot)
    _require_matches(spec, snapshot)
    return Change(
        id="",  # numbered when it is recorded
        workload=spec.workload,
        folder=str(folder),
        spec=snapshot.files[SPEC_FILE],
        files=snapshot.files,
        sources=sources,
        commit=snapshot.commit,
        dirty=snapshot.dirty,
        diff=control.store.put_bytes(snapshot.diff.encode()) if snapshot.diff else None,
        author=snapshot.author or actor,
        auto_approve=auto_approve,
        actor=actor,
        requested_at=now,
    )


def _require_kept(spec: Workload, snapshot: Snapshot) -> None:
    """What the spec names must be among the files that are kept: git may ignore it."""
    named = [SPEC_FILE, spec.serving.entry, spec.training.dependencies.requirements, spec.tests.functional]
    named += [data.data_schema for data in spec.data.values()]
    ignored = [path for path in named if path is not None and path not in snapshot.files]
    if ignored:
        raise NotFoundError(
            f"Git ignores {', '.join(ignored)}, which the workload needs. Take it out of .gitignore."
        )


def _require_matches(spec: Workload, snapshot: Snapshot) -> None:
    """A pattern that matches no file is most often misspelled, and the file it meant would be missed far from here."""
    for section, patterns in (("training.files", spec.training.files), ("serving.files", spec.serving.files)):
        for pattern in unmatched(snapshot.files, patterns or ()):
            raise NotFoundError(
                f"{section} has the pattern {pattern!r}, which matches none of the {len(snapshot.files)} files of the folder that git "
                "does not ignore. Mend the pattern, or leave it out."
            )


def _failed(control: ControlPlane, change: str) -> bool:
    return any(failed == change for failed, _ in control.book.view.failures)


def _request(control: ControlPlane, change: Change, newest: Change | None) -> None:
    book, now = control.book, time.time()
    if newest is not None and newest.id not in book.view.ended and not _failed(control, newest.id):
        body = {"by": change.id}
        book.append("change.superseded", change.workload, newest.id, body, change.actor, now)
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
    version, shown = control.driver.board.get(change, after, wait)
    return shown.body() | {"version": version}


def decide(control: ControlPlane, approval: str, decision: str, comment: str, actor: str) -> dict[str, Any]:
    """Record a person's yes (`approve`) or no (`reject`). Raises NotFoundError, or ConflictError where it is too late."""
    book = control.book
    with book.locked():
        asked = book.view.approvals.get(approval)
        if asked is None:
            raise NotFoundError(f"No approval {approval} has been asked for. {_waiting(control)}")
        _still_open(control, asked)
        body = {"decision": decision, "comment": comment, "auto": False}
        book.append_once("approval.decided", asked.workload, approval, body, actor, time.time())
    control.engine.ring()
    return {
        "approval": approval,
        "decision": decision,
        "change": asked.body["change"],
        "environment": asked.body["environment"],
    }


def _still_open(control: ControlPlane, asked: Fact) -> None:
    view, change = control.book.view, asked.body["change"]
    decided = view.decisions.get(asked.key)
    if decided is not None:
        verb = "approved" if decided.body["decision"] == "approve" else "rejected"
        raise ConflictError(
            f"{asked.key} was already {verb} by {decided.actor}; a decision stands. `loopwright up` asks anew."
        )
    if change in view.ended:
        raise ConflictError(
            f"{asked.key} belongs to {change}, which is no longer under way ({view.ended[change].kind}). {_waiting(control)}"
        )


def _waiting(control: ControlPlane) -> str:
    view = control.book.view
    waiting = [
        key
        for key, fact in view.approvals.items()
        if key not in view.decisions and fact.body["change"] not in view.ended
    ]
    return f"Waiting now: {', '.join(waiting)}." if waiting else "Nothing waits for an approval now."
