"""`loopwright plan`: what `up` would do; nothing is started, asked or changed for it."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from loopwright.cli.home import home_option, with_home
from loopwright.cli.table import render
from loopwright.state import StateFolder

CHANGES = 3  # exit status with --detailed-exitcode; Terraform's 2 is a wrong command line here
_MARKS = {
    "unchanged": "=",
    "runs": "+",
    "asks": "?",
    "releases": "+",
    "starts": "+",
    "held": "!",
    "by hand": "?",
    "stops": "!",
}


def plan(parsed: argparse.Namespace) -> int:
    """Exit status 0; with --detailed-exitcode 3 where something would be done."""
    from loopwright.operations.planning import plan as work_out

    state = StateFolder.resolve(parsed.home)
    found = work_out(state, str(Path(parsed.folder).absolute()), parsed.again)
    if parsed.json:
        print(json.dumps(found))
    else:
        for warning in found["warnings"]:
            print(f"warning: {warning}", file=sys.stderr)
        print(with_home("\n".join(_lines(found)), home_option(state)))
    return CHANGES if parsed.detailed_exitcode and found["changes"] else 0


def _lines(found: dict[str, Any]) -> Iterator[str]:
    way = ", which is under way" if found["under_way"] else ""
    yield f"{found['workload']}: what `loopwright up` would do as {found['change']}{way}"
    yield ""
    yield from render([_step(step) for step in found["steps"]], "  ")
    yield ""
    yield from render([_environment(environment) for environment in found["environments"]], "  ")
    for left in found["left"]:
        yield f"  {left['environment']}: {left['sentence']}"
    yield from _variables(found)
    yield ""
    yield from _engines(found["capabilities"])
    yield ""
    yield found["sentence"]


def _step(told: dict[str, Any]) -> list[str]:
    needs = f", after {', '.join(told['needs'])}" if told["needs"] else ""
    task = f"(task{needs})" if told["kind"] == "task" else ""
    return [_MARKS.get(told["does"], "~"), told["step"], told["does"], f"{told['why']} {task}".strip()]


def _environment(told: dict[str, Any]) -> list[str]:
    least, most = told["replicas"]["min"], told["replicas"]["max"]
    replicas = f"{least} to {most} replicas" if most > least else f"{least} replica{'s' if least > 1 else ''}"
    serves = f"{told['serves']} serves" if told["serves"] else "nothing serves yet"
    return [told["environment"], serves, replicas, f"{told['route']}, auth: {told['auth']}"]


def _variables(found: dict[str, Any]) -> Iterator[str]:
    """Names alone: what they are is not to be shown on a screen."""
    seen = {who: names for who, names in found["variables"].items() if names}
    if seen:
        yield ""
        yield from render([[f"{who} sees", ", ".join(names)] for who, names in seen.items()], "  ")
    if found["secrets"]:
        yield f"  secrets, all of them set: {', '.join(found['secrets'])}"


def _engines(capabilities: list[dict[str, Any]]) -> Iterator[str]:
    for engine in dict.fromkeys(told["engine"] for told in capabilities):
        of = [told for told in capabilities if told["engine"] == engine]
        exact = sum(1 for told in of if told["verdict"] == "exact")
        yield f"  engine {engine}: {exact} fields kept exactly; nearly:"
        nearly = [told for told in of if told["verdict"] == "approximate"]
        yield from render([[told["field"], told["value"], told["sentence"]] for told in nearly], "    ")
