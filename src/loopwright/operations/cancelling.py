"""End a change that is under way: its jobs end, its clean-up runs, and what serves stays."""

from __future__ import annotations

import time
from typing import Any

from loopwright.errors import ConflictError, NotFoundError, UsageError
from loopwright.loop.view import View
from loopwright.operations.control import ControlPlane

_TOLD = {
    "succeeded": "is in production already",
    "failed": "has failed already",
    "cancelled": "was cancelled already",
    "superseded": "was superseded by a newer change",
}


def cancel(control: ControlPlane, name: str | None, actor: str) -> dict[str, Any]:
    """Cancel a change, promotion or rollback by its id, or a workload's newest change; without a name, the only one under way.

    Returns the change and the clean-up tasks that now run. Raises NotFoundError for an unknown name, ConflictError where
    it is no longer under way, UsageError where several are and none is named.
    """
    book = control.book
    with book.locked():
        change = _named(book.view, name)
        outcome = book.view.outcome(change)
        if outcome != "running":
            raise ConflictError(
                f"{change} {_TOLD[outcome]}, so there is nothing to cancel. What serves stays."
            )
        transfer = book.view.transfers.get(change)
        workload = transfer.workload if transfer else book.view.changes[change].workload
        book.append_once("change.cancelled", workload, change, {}, actor, time.time())
        clean_up = [] if transfer else _clean_up(control, change)
    control.engine.ring()
    return {
        "change": change,
        "workload": workload,
        "transfer": transfer is not None,
        "clean_up": clean_up,
    }


def _clean_up(control: ControlPlane, change: str) -> list[str]:
    tasks = control.driver.spec(control.book.view.changes[change]).pipeline.tasks
    return [task for task, declared in tasks.items() if declared.always]


def _named(view: View, name: str | None) -> str:
    under_way = [change for change in view.newest.values() if view.outcome(change) == "running"]
    under_way += [transfer.key for transfer in view.open_transfers()]
    if name is None:
        if not under_way:
            raise NotFoundError("Nothing is under way, so there is nothing to cancel.")
        if len(under_way) > 1:
            raise UsageError(
                f"Several changes are under way: {', '.join(under_way)}. Name one: loopwright cancel {under_way[0]}"
            )
        return under_way[0]
    change = name if name in view.changes or name in view.transfers else view.newest.get(name)
    if change is None:
        told = f"Under way: {', '.join(under_way)}." if under_way else "Nothing is under way."
        raise NotFoundError(f"No change or workload {name} is known here. {told}")
    return change
