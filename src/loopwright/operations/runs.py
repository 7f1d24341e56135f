"""Runs: listed, told one by one, and compared."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from loopwright.errors import NotFoundError
from loopwright.loop import lineage
from loopwright.operations.naming import pick
from loopwright.operations.sources import Records
from loopwright.operations.telling import told

_COMPARED = ("workload", "status", "change", "author", "commit", "dirty", "data_version", "lock", "spec")


def runs(records: Records, words: Sequence[str] = ()) -> list[dict[str, Any]]:
    """All runs; those of the workload that the first word names; or the runs that the words name, in their order."""
    known = list(records.chronicle.workloads)
    first = _workload(words[0], known) if words else None
    names, wanted = (sorted(known), words) if first is None else ([first], words[1:])
    found = [run for name in names for run in lineage.runs(records.chronicle, name)]
    return [_told(records, run) for run in (_named(found, wanted) if wanted else found)]


def compare(records: Records, words: Sequence[str]) -> dict[str, Any]:
    """What differs between runs (ids or their beginnings, or the versions that came of them): one row a value.

    Each row has its section (run, parameters, metrics), its name, and the values in the order of the runs; None where a
    run does not have it.
    """
    if len(words) < 2:
        raise NotFoundError(f"Found {len(words)} runs to compare, expected two or more.")
    found = runs(records, words)
    rows = [("run", name, [run[name] for run in found]) for name in _COMPARED]
    for section in ("parameters", "metrics"):
        names = dict.fromkeys(name for run in found for name in run[section])
        rows += [(section, name, [run[section].get(name) for run in found]) for name in sorted(names)]
    return {
        "runs": [{"run": run["run"], "versions": run["versions"]} for run in found],
        "differences": [
            {"section": section, "name": name, "values": values}
            for section, name, values in rows
            if any(value != values[0] for value in values)
        ],
        "equal": [name for section, name, values in rows if all(value == values[0] for value in values)],
    }


def _workload(word: str, known: list[str]) -> str | None:
    """The workload that a word means; None where it means a run or version instead."""
    begun = [name for name in known if name == word or name.startswith(word)]
    return pick(word, known, "workload") if begun and ":" not in word else None


def _named(found: list[lineage.Run], words: Sequence[str]) -> list[lineage.Run]:
    known = {version: run for run in found for version in run.versions} | {run.run: run for run in found}
    return [known[pick(word, known, "workload, run or version")] for word in words]


def _told(records: Records, run: lineage.Run) -> dict[str, Any]:
    answer: dict[str, Any] = told(run) | {"parameters": run.parameters or {}}
    if run.parameters is None:  # recorded before parameters were part of the fact: the spec has the command
        spec = records.spec(run.spec)
        if spec is not None:
            from loopwright.training import parameters

            answer["parameters"] = parameters(spec.training.command)
    return answer
