"""`loopwright models`, `runs`, `releases`, `packages`, `data list` and `data show`."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from typing import Any

from loopwright.cli import content_tables as contents
from loopwright.cli import lineage_tables as tables
from loopwright.cli.client import Client
from loopwright.errors import UsageError
from loopwright.state import StateFolder


def models(parsed: argparse.Namespace) -> int:
    """List versions, show one, or answer which is the newest approved."""
    if parsed.newest_approved is not None:
        return _newest(parsed)
    query = {"workload": parsed.workload, "version": parsed.version}
    one = parsed.version is not None or ":" in (parsed.workload or "")
    found = ask(parsed, "/v1/models", "lineage.models", **query)
    return show(parsed, found, tables.version if one else tables.versions, one)


def _newest(parsed: argparse.Namespace) -> int:
    if parsed.version is not None:
        raise UsageError(
            f"Found the version {parsed.version} beside --newest-approved, expected one of the two."
        )
    query = {"workload": parsed.workload, "environment": parsed.newest_approved or None}
    found = ask(parsed, "/v1/models/newest-approved", "moments.newest_approved", **query)
    print(json.dumps(found) if parsed.json else found["version"])
    return 0


def runs(parsed: argparse.Namespace) -> int:
    """List, show or compare."""
    words = parsed.words
    if words[:1] == ["compare"]:
        if len(words) < 3:
            raise UsageError(f"Found {len(words) - 1} runs to compare, expected two or more.")
        found = ask(parsed, "/v1/runs/compare", "runs.compare", word=words[1:])
        return show(parsed, found, tables.comparison)
    found = ask(parsed, "/v1/runs", "runs.runs", word=words)
    named = len(words) > 1 or any(_is(run, word) for run in found for word in words)
    return show(parsed, found, tables.runs_in_full if named else tables.runs)


def _is(run: dict[str, Any], word: str) -> bool:
    return run["run"].startswith(word) or word in run["versions"]


def releases(parsed: argparse.Namespace) -> int:
    """List them."""
    query = {"workload": parsed.workload, "environment": parsed.environment}
    return show(parsed, ask(parsed, "/v1/releases", "lineage.releases", **query), tables.releases)


def packages(parsed: argparse.Namespace) -> int:
    """List them, or show one."""
    query = {"workload": parsed.workload, "digest": parsed.digest}
    found = ask(parsed, "/v1/packages", "lineage.packages", **query)
    one = parsed.digest is not None or ":" in (parsed.workload or "")
    return show(parsed, found, contents.package if one else contents.packages, one)


def data_list(parsed: argparse.Namespace) -> int:
    """List data versions."""
    return show(parsed, ask(parsed, "/v1/data", "lineage.data", workload=parsed.workload), contents.data)


def data_show(parsed: argparse.Namespace) -> int:
    """Show one."""
    query = {"workload": parsed.workload, "version": parsed.version}
    return show(parsed, ask(parsed, "/v1/data", "lineage.data", **query), contents.data_in_full)


def ask(parsed: argparse.Namespace, path: str, function: str, **query: Any) -> Any:
    """Ask the control plane, or, where none runs, the ledger: `function` is MODULE.NAME among the operations."""
    state = StateFolder.resolve(parsed.home)
    client = Client(state)
    if client.running():
        return client.get(path, **query)
    from importlib import import_module

    from loopwright.operations import sources

    module, _, name = function.partition(".")
    answer: Callable[..., Any] = getattr(import_module(f"loopwright.operations.{module}"), name)
    if module == "moments":
        with sources.shelf(state) as (ledger, store):
            return answer(ledger, store, *query.values())
    with sources.stopped(state) as records:
        return answer(records, *query.values())


def show(
    parsed: argparse.Namespace, found: Any, lines: Callable[[Any], Sequence[str]], one: bool = False
) -> int:
    """Print an answer; `one` is asked for where the answer is a list of one."""
    given = found[0] if one else found
    print(json.dumps(given) if parsed.json else "\n".join(lines(given)))
    return 0
