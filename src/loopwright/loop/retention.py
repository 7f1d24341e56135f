"""What of a state folder is still needed, and what may be cleaned away. Pure: from facts and names, without a look at a disk.

Mark and sweep. Marked is every digest in the facts that matter, whatever field it stands in: a fact that says more one day
needs no change here. What a marked tree consists of is marked too. All else goes once it is old.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from loopwright.ledger import Fact
from loopwright.loop.change import Change
from loopwright.loop.view import View

__all__ = ["Item", "Policy", "condemned", "digests", "needed", "reachable"]

_DIGEST = re.compile(r"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")
_SHORT = 16  # digits of a digest that name a Python environment or a revision's folder
_DAY = 86400.0


@dataclass(frozen=True)
class Policy:
    """How much is kept of what nobody uses."""

    older_than: float = 30 * _DAY  # seconds; what is younger is kept
    releases: int = 10  # packages of each endpoint that served last
    packages: int = 10  # newest packages of each workload
    grace: float = 3600.0  # seconds; what was just put, or asked for, is about to be named by a fact


@dataclass(frozen=True)
class Item:
    """Something that lies in the state folder."""

    kind: str  # files, trees, environments, revisions, jobs, observations
    name: str
    touched: float  # seconds since the epoch


def digests(value: object) -> frozenset[str]:
    """Every digest in a JSON value, also one that is part of a text."""
    return frozenset(_DIGEST.findall(value if isinstance(value, str) else json.dumps(value, default=dict)))


def needed(view: View, in_use: Iterable[Mapping[str, Any]], policy: Policy, now: float) -> frozenset[str]:
    """The digests that facts name and somebody may ask for: what serves or served, what is under way, what is young.

    `in_use`: the outputs of the steps of each change that is under way or the newest of its workload.
    """
    since = now - policy.older_than
    outputs = [dict(one) for one in in_use]
    releases = list(_releases(view, policy, since))
    young = [fact for fact in view.successes.values() if fact.time >= since]
    packages = [fact.body["package"] for fact in releases]
    packages += [fact.body["output"] for fact in _newest_packages(view, policy)]
    packages += [one["package"] for one in outputs if "package" in one]
    facts = [*releases, *young, *_behind(view, packages)]
    changes = {change.id: change for change in view.watched()}
    changes |= {one.id: one for one in view.changes.values() if one.requested_at >= since}
    for fact in facts:
        change = view.changes.get(fact.body.get("change", ""))
        if change is not None:
            changes[change.id] = change
    sources = [source.content for change in changes.values() for source in change.sources.values()]
    always = [_small(change) for change in view.changes.values()]
    return digests([outputs, [fact.body for fact in facts], packages, sources, always])


def _small(change: Change) -> list[Any]:
    """What is kept of every change: its spec, its files and what was not committed; not the data."""
    return [change.spec, dict(change.files), change.diff]


def _releases(view: View, policy: Policy, since: float) -> Iterator[Fact]:
    for releases in view.releases.values():
        seen: set[str] = set()
        for fact in reversed(releases):
            seen.add(fact.body["package"]["digest"])
            if len(seen) > policy.releases and fact.time < since:
                break
            yield fact


def _newest_packages(view: View, policy: Policy) -> Iterator[Fact]:
    of: dict[str, list[Fact]] = defaultdict(list)
    for (workload, step, _), fact in view.successes.items():
        if step == "package":
            of[workload].append(fact)
    for facts in of.values():
        yield from sorted(facts, key=lambda fact: -fact.sequence)[: policy.packages]


def _behind(view: View, packages: Iterable[Mapping[str, Any]]) -> Iterator[Fact]:
    """The results of the steps that these packages were made from."""
    runs = {package.get("run") for package in packages} - {None}
    trees = {package.get("data") for package in packages} - {None}
    for (_, step, _), fact in view.successes.items():
        output = fact.body["output"]
        if (step == "train" and output.get("run") in runs) or (
            step == "data" and output.get("tree") in trees
        ):
            yield fact
    environments = {str(package.get("environment")) for package in packages}
    for digest in environments & view.environments.keys():
        yield view.environments[digest]


def reachable(roots: Iterable[str], parts: Callable[[str], Iterable[str]]) -> frozenset[str]:
    """The roots and all that they consist of; `parts` says what a digest names, nothing for a file."""
    found: set[str] = set()
    ahead = list(roots)
    while ahead:
        digest = ahead.pop()
        if digest not in found:
            found.add(digest)
            ahead += parts(digest)
    return frozenset(found)


def condemned(
    items: Iterable[Item], marked: frozenset[str], living: Iterable[str], policy: Policy, now: float
) -> list[Item]:
    """What may go: not marked, nor used by what lives (names of jobs, replica sets and Python environments), and old enough.

    Contents and trees of the store may go after the grace period, since what facts want of them is marked. A job's folder
    goes when it is old, unless it is the newest of its step: it holds a log that somebody may want to read.
    """
    everything = list(items)
    names = frozenset(living)
    short = {digest[:_SHORT] for digest in marked}
    revisions = {name.rpartition("--")[2] for name in names}
    newest = _newest_jobs(item for item in everything if item.kind == "jobs")

    def stays(item: Item) -> bool:
        match item.kind:
            case "files" | "trees":
                return item.name in marked or item.touched >= now - policy.grace
            case "environments":
                return item.name in short | names or item.touched >= now - policy.grace
            case "revisions":
                return item.name in short or item.name[:12] in revisions or item.touched >= now - policy.grace
            case _:
                young = item.touched >= now - max(policy.older_than, policy.grace)
                return item.name in names or item in newest or young

    return [item for item in everything if not stays(item)]


def _newest_jobs(jobs: Iterable[Item]) -> set[Item]:
    newest: dict[str, Item] = {}
    for job in sorted(jobs, key=lambda job: (job.touched, job.name)):
        newest[job.name.rsplit(".", 2)[0]] = job  # WORKLOAD.STEP.INPUTS.ATTEMPT
    return set(newest.values())
