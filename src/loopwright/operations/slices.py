"""So much of a long ledger as one question needs: facts picked by what they name, for a `Chronicle` of their own.

A ledger of years is not read whole to say what served yesterday: a release names its package and its change; these, in
two looks through the results of steps, name all the rest.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from loopwright.ledger import Fact, Ledger, Query
from loopwright.loop.lineage import Chronicle, newest_approved

_AT_ONCE = 3  # requests for approval that are looked at together, newest first


class Slice:
    """Facts gathered from a ledger, each once."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._facts: dict[int, Fact] = {}

    def add(self, query: Query) -> list[Fact]:
        """Take in what matches; returns it."""
        found = self._ledger.find(query)
        self._facts |= {fact.sequence: fact for fact in found}
        return found

    def chronicle(self) -> Chronicle:
        """What was gathered, in order."""
        return Chronicle.of(self._facts[sequence] for sequence in sorted(self._facts))

    def add_steps(self, workload: str, names: Iterable[str]) -> list[Fact]:
        """The results of steps that name any of these digests, runs or changes."""
        return self.add(Query(kind="step.succeeded", workload=workload, mentions=tuple(dict.fromkeys(names))))


def places(ledger: Ledger) -> list[tuple[str, str]]:
    """Each workload with each environment to which requests for it were ever sent."""
    found = [key.rpartition("@") for key in ledger.distinct("key", "route.wanted")]
    return [(workload, environment) for workload, _, environment in found]


def moment(ledger: Ledger, at: float, workload: str | None = None) -> Chronicle:
    """All that says what served at a moment."""
    made = Slice(ledger)
    made.add(Query(kinds=("state.stopped", "control.started"), until=at, newest_first=True, limit=1))
    known = places(ledger)
    for name in filter(None, ledger.distinct("workload")):
        if workload in (None, name):
            _workload(made, name)
            mine = [environment for place, environment in known if place == name]
            then = [fact for environment in mine for fact in _releases(made, name, environment, at)]
            _packages(made, name, then)
    return made.chronicle()


def outline(ledger: Ledger, workload: str) -> Chronicle:
    """The newest spec of a workload, and the environments in which it was released or a person was asked."""
    made = Slice(ledger)
    _workload(made, workload)
    for place, environment in places(ledger):
        if place == workload:
            made.add(
                Query(kind="release.completed", workload=workload, mentions=(_named(environment),), limit=1)
            )
    return made.chronicle()


def approved(ledger: Ledger, workload: str, environment: str) -> Chronicle:
    """All that says which version was approved last in an environment."""
    made = Slice(ledger)
    _workload(made, workload)
    _releases(made, workload, environment, None)
    page = Query(
        kind="approval.requested",
        workload=workload,
        mentions=(_named(environment),),
        newest_first=True,
        limit=_AT_ONCE,
    )
    while asked := made.add(page):
        _decisions(made, workload, asked)
        _settled(made, workload, asked)
        packages = tuple(fact.body["package"] for fact in asked)
        made.add(Query(kind="release.completed", workload=workload, mentions=packages))
        found = newest_approved(made.chronicle(), workload, environment)
        if found is not None and found.approval is not None:
            mine = Query(
                kind="release.completed",
                workload=workload,
                mentions=(found.package,),
                newest_first=True,
                limit=_AT_ONCE,
            )
            made.add(mine)
            break
        page = replace(page, before=asked[-1].sequence)
    return made.chronicle()


def _workload(made: Slice, workload: str) -> None:
    """That there is such a workload, its newest spec, and the environments in which a person was asked."""
    made.add(Query(kind="change.requested", workload=workload, newest_first=True, limit=1))
    made.add(Query(kind="approval.requested", workload=workload, limit=1))
    made.add(Query(kind="approval.requested", workload=workload, newest_first=True, limit=1))
    made.add(Query(kind="route.withdrawn", workload=workload))


def _releases(made: Slice, workload: str, environment: str, at: float | None) -> list[Fact]:
    """The first release, the newest, the one of the moment and the one after it; returns that of the moment."""
    here = Query(kind="release.completed", workload=workload, mentions=(_named(environment),), limit=1)
    made.add(here)
    newest = made.add(replace(here, newest_first=True))
    made.add(
        Query(
            kind="alias.moved", workload=workload, key=f"{workload}@{environment}", newest_first=True, limit=1
        )
    )
    then = made.add(replace(here, newest_first=True, until=at)) if at is not None else newest
    after = made.add(replace(here, after=then[0].sequence)) if then else []
    for fact in [*newest, *then, *after]:
        made.add(Query(kind="change.requested", workload=workload, key=fact.body["change"]))
    return then


def _named(environment: str) -> str:
    return f'"environment":"{environment}"'


def _packages(made: Slice, workload: str, releases: list[Fact]) -> None:
    """The steps, changes, runs and approvals behind these releases."""
    packages = [fact.body["package"] for fact in releases]
    names = [package["digest"] for package in packages]
    steps = made.add_steps(workload, [*names, *(_change(fact) for fact in releases)])
    steps += made.add_steps(workload, (_change(fact) for fact in steps))
    for name in _missing(packages, steps):
        steps += made.add(Query(kind="step.succeeded", workload=workload, mentions=(name,), limit=1))
    for change in dict.fromkeys(fact.body["change"] for fact in [*releases, *steps]):
        made.add(Query(kind="change.requested", workload=workload, key=change))
    for fact in steps:
        if fact.body["step"] == "train":
            made.add(Query(kind="run.created", workload=workload, key=fact.key))
            key = f"{fact.body['change']}/{fact.body['step']}/{fact.key}"
            made.add(Query(kind="step.started", workload=workload, key=key))
    asked = made.add(Query(kind="approval.requested", workload=workload, mentions=tuple(names)))
    _decisions(made, workload, asked)


def _missing(packages: list[dict[str, Any]], steps: list[Fact]) -> set[str]:
    """The runs and data that steps of another change made."""
    outputs = [fact.body["output"] for fact in steps if fact.body["step"] in ("data", "train")]
    known = {output.get("run") for output in outputs} | {output.get("tree") for output in outputs}
    return {name for package in packages for name in (package["run"], package["data"])} - known


def _change(fact: Fact) -> str:
    return f'"change":"{fact.body["change"]}"'


def _decisions(made: Slice, workload: str, asked: list[Fact]) -> None:
    for fact in asked:
        for kind in ("approval.decided", "approval.voided", "approval.expired"):
            made.add(Query(kind=kind, workload=workload, key=fact.key))


def _settled(made: Slice, workload: str, asked: list[Fact]) -> None:
    """The results of the approval steps: under the approval's id, in facts of release 0.1 under their inputs."""
    for fact in asked:
        inputs = fact.body["inputs"][:32]
        old = [f"{workload}.{step}.{inputs}" for step in ("approval", f"approval-{fact.body['environment']}")]
        for key in (fact.key, *old):
            made.add(Query(kind="step.succeeded", workload=workload, key=key))
