"""Take an environment back to a version that served there before."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from loopwright.errors import ConflictError, NotFoundError
from loopwright.ledger import Fact
from loopwright.loop.transfers import origin
from loopwright.loop.view import View
from loopwright.operations.control import ControlPlane
from loopwright.operations.naming import pick
from loopwright.operations.wish import next_id, transfer_made_of

_VERSION = re.compile(r"((?P<workload>[a-z][a-z0-9-]*):)?v?(?P<number>[0-9]{1,9})")


@dataclass(frozen=True)
class Target:
    """What a person named: an endpoint, and the version that is to serve there; None for the one before."""

    workload: str
    environment: str
    version: int | None


def rollback(
    control: ControlPlane, words: Sequence[str], comment: str, actor: str, token: str = ""
) -> dict[str, Any]:
    """Ask that an earlier version serve again; `words` are a workload, an environment and a version, any of them left out.

    Raises NotFoundError for what is not known, and ConflictError where there is nothing to go back to or a release to
    that environment is under way. Returns the rollback's id and what it goes from and to.

    `token` is random and made once by the caller, who may ask again with it where the answer was lost: the rollback that
    was made of it is the answer then.
    """
    book = control.book
    with book.locked():
        asked = transfer_made_of(book.view, token) or _request(control, words, comment, actor, token)
        warm = origin(book.view, asked).body["replica_set"] in control.engine.report().replica_sets
    control.engine.ring()
    return {
        "transfer": asked.key,
        "workload": asked.workload,
        "environment": asked.body["environment"],
        "from": f"{asked.workload}:{asked.body['from']}",
        "to": f"{asked.workload}:{asked.body['version']}",
        "warm": warm,
    }


def _request(control: ControlPlane, words: Sequence[str], comment: str, actor: str, token: str) -> Fact:
    """Record what is asked for; hold the book's lock."""
    book, now = control.book, time.time()
    target = understood(book.view, words)
    current = book.view.releases[target.environment, target.workload][-1]
    release = _release(book.view, target, current)
    _require_kept(control, release)
    _require_quiet(book.view, target)
    body = {
        "environment": target.environment,
        "release": release.key,
        "version": release.body["version"],
        "from": current.body["version"],
        "comment": comment,
        "token": token,
    }
    name = next_id(book.view, target.workload)
    waiting = book.view.promotion(target.environment, target.workload)
    if waiting is not None:
        book.append("change.superseded", target.workload, waiting.key, {"by": name}, actor, now)
    return book.append("rollback.requested", target.workload, name, body, actor, now)


def understood(view: View, words: Sequence[str]) -> Target:
    """Which words name what; the only workload, and the last environment that it serves in, where not given."""
    numbers = [found for word in words if (found := _VERSION.fullmatch(word))]
    names = [word for word in words if not _VERSION.fullmatch(word)]
    if len(numbers) > 1 or len(names) > 2:
        raise NotFoundError(
            f"Found {' '.join(words)!r}, expected at most a workload, an environment and a version, "
            "which is a number such as 2 or v2."
        )
    served = list(dict.fromkeys(workload for (_, workload), releases in view.releases.items() if releases))
    of_version = [found["workload"] for found in numbers if found["workload"]]
    given = [name for name in names if name in served][:1] or of_version
    if not given and len(served) != 1 and len(names) < 2:
        known = f"One of {', '.join(served)}" if served else "Nothing serves yet: `loopwright up`"
        raise NotFoundError(f"Which workload? {known}.")
    if not given and len(names) == 2 and names[0] in {environment for environment, _ in view.releases}:
        raise _no_version(
            names[1]
        )  # behind an environment comes a version; `toys prod` has a workload misspelt
    workload = pick(given[0] if given else names[0] if len(names) == 2 else served[0], served, "workload")
    rest = [name for name in names if name != workload]
    where = list(dict.fromkeys(environment for environment, name in view.releases if name == workload))
    environment = pick(rest[0], where, "environment") if rest else _last(view, workload, where)
    return Target(workload, environment, int(numbers[0]["number"]) if numbers else None)


def _no_version(word: str) -> NotFoundError:
    return NotFoundError(f"Found {word!r}, expected the number of a version, such as 2 or v2.")


def _last(view: View, workload: str, served: list[str]) -> str:
    """The environment that was reached last: the furthest one on the way to production."""
    return max(served, key=lambda environment: view.releases[environment, workload][0].sequence)


def _release(view: View, target: Target, current: Fact) -> Fact:
    """The release to bring back."""
    releases = view.releases.get((target.environment, target.workload), [])
    line = view.lineage.get((target.environment, target.workload), [])
    where, now = target.environment, current.body
    if target.version is None:
        earlier = [fact for fact in line[:-1] if fact.body["inputs"] != now["inputs"]]
        if not earlier:
            raise ConflictError(
                f"There is nothing to go back to: {target.workload}:{now['version']} is the first that {where} served."
            )
        return earlier[-1]
    if target.version == now["version"]:
        raise ConflictError(f"{target.workload}:{target.version} serves in {where} already.")
    found = [fact for fact in releases if fact.body["version"] == target.version]
    if found:
        return found[-1]
    served = dict.fromkeys(f"{target.workload}:{fact.body['version']}" for fact in releases)
    others = [
        environment
        for (environment, workload), facts in view.releases.items()
        if workload == target.workload and any(fact.body["version"] == target.version for fact in facts)
    ]
    hint = f" It serves or served in {others[0]}: `loopwright promote {others[0]} {where}`." if others else ""
    raise NotFoundError(
        f"{target.workload}:{target.version} has never served in {where}. Served there: {', '.join(served)}.{hint}"
    )


def _require_kept(control: ControlPlane, release: Fact) -> None:
    """What served long ago may have been cleaned away."""
    tree = release.body["package"].get("tree")
    if tree is not None and not control.store.has_tree(tree):
        raise ConflictError(
            f"The package of {release.workload}:{release.body['version']} has been cleaned away. Bring the files of "
            f"{release.body['change']} back, and run `loopwright up`: it is made again."
        )


def _require_quiet(view: View, target: Target) -> None:
    for fact in view.rollbacks():
        if (fact.body["environment"], fact.workload) == (target.environment, target.workload):
            raise ConflictError(
                f"{fact.key} takes {target.environment} back to {target.workload}:{fact.body['version']} already."
            )
    queue = view.queues.get(target.environment, {})
    for (change, _), asked in queue.items():
        if asked.workload == target.workload:
            raise ConflictError(
                f"{change} is being released to {target.environment} at this moment. Wait for its end, or "
                f"`loopwright cancel {change}`; then roll back."
            )
