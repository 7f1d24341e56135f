"""End what serves in an environment that the spec does not have any more."""

from __future__ import annotations

import time
from typing import Any

from loopwright.errors import ConflictError, NotFoundError
from loopwright.ledger import Fact
from loopwright.loop.view import View
from loopwright.operations.control import ControlPlane
from loopwright.operations.naming import pick


def retire(
    control: ControlPlane, environment: str, workload: str | None, comment: str, actor: str
) -> dict[str, Any]:
    """Take the route, the replicas and the registry's alias of an endpoint away; what was recorded stays.

    Raises NotFoundError for what does not serve, and ConflictError where the newest spec has the environment, or something
    is being released to it.
    """
    book = control.book
    with book.locked():
        release = _serving(book.view, environment, workload)
        _require_undeclared(control, release)
        _require_quiet(book.view, release)
    where, name = release.body["environment"], release.workload
    control.tracking.delete_alias(name, where)  # asks a server: not while the book is held
    with book.locked():
        _require_quiet(book.view, release)
        body = {"environment": where, "retired": True, "version": release.body["version"], "comment": comment}
        book.append("route.withdrawn", name, f"{name}@{where}", body, actor, time.time())
    control.engine.ring()
    return {"workload": name, "environment": where, "version": f"{name}:{release.body['version']}"}


def _serving(view: View, environment: str, workload: str | None) -> Fact:
    serving = {pair: facts[-1] for pair, facts in view.releases.items() if facts}
    known = list(dict.fromkeys(name for _, name in serving))
    if not known:
        raise NotFoundError("Nothing serves yet: `loopwright up`.")
    if workload is None and len(known) > 1:
        raise NotFoundError(f"Which workload? One of {', '.join(known)}.")
    name = pick(workload, known, "workload") if workload else known[0]
    # Whole, and never completed: what is taken away must be what was meant.
    where = [one for one, of in serving if of == name]
    if environment not in where:
        raise NotFoundError(f"Nothing of {name} serves in {environment!r}. It serves in: {', '.join(where)}.")
    return serving[environment, name]


def _require_undeclared(control: ControlPlane, release: Fact) -> None:
    newest = control.book.view.changes[control.book.view.newest[release.workload]]
    where = release.body["environment"]
    if where in control.driver.spec(newest).environments:
        raise ConflictError(
            f"The spec of {newest.id} has the environment {where}. Take it out of loopwright.yaml and run `loopwright up`; "
            f"then retire it. `loopwright down` ends all that serves, for as long as you like."
        )


def _require_quiet(view: View, release: Fact) -> None:
    where, name = release.body["environment"], release.workload
    under_way = [fact.key for fact in view.open_transfers() if _is_at(fact, where, name)]
    queue = view.queues.get(where, {})
    under_way += [change for (change, _), asked in queue.items() if asked.workload == name]
    if under_way:
        raise ConflictError(
            f"{under_way[0]} brings something to {where} at this moment. Wait for its end, or `loopwright cancel {under_way[0]}`."
        )


def _is_at(fact: Fact, environment: str, workload: str) -> bool:
    return (fact.body["environment"], fact.workload) == (environment, workload)
