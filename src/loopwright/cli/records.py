"""`loopwright status`, `logs` and `history`."""

from __future__ import annotations

import argparse
import json
import sys
import time
from datetime import datetime
from typing import Any
from urllib.parse import quote

from loopwright.cli.client import Client
from loopwright.cli.live import rows
from loopwright.cli.readiness import readiness
from loopwright.cli.table import render
from loopwright.errors import NotFoundError, UsageError
from loopwright.state import StateFolder

_FOLLOW = 0.5  # seconds between two looks for more


def status(parsed: argparse.Namespace) -> int:
    """Show it; nothing is started for it."""
    state = StateFolder.resolve(parsed.home)
    client = Client(state)
    if client.running():
        found = client.get("/v1/status", workload=parsed.workload)
    else:
        from loopwright.operations.records import stopped_status

        found = stopped_status(state)
    if parsed.json:
        print(json.dumps(found))
    elif found["running"]:
        _show_status(found)
    else:
        known = ", ".join(workload["workload"] for workload in found["workloads"]) or "none"
        print(f"Nothing runs for {state.root}. Workloads known: {known}. `loopwright up DIR` starts one.")
    return 0


def _show_status(found: dict[str, Any]) -> None:
    services = ", ".join(f"{name} {service['state']}" for name, service in found["services"].items())
    print(f"{found['home']}: {services or 'starting'}; tracking at {found['tracking_url']}")
    if not found["workloads"]:
        print("No workload yet. Start one: loopwright up DIR")
    for workload in found["workloads"]:
        change = workload["change"]
        print(f"\n{workload['workload']}: {change['change']} {change['state']} ({workload['folder']})")
        print("\n".join(render(rows(change, time.time()), "  ")))
        for environment, serving in workload["environments"].items():
            trouble = f"; {serving['failing']}" if serving["failing"] else ""
            print(f"  {environment}: {serving['version']} at {serving['url']}, {readiness(serving)}{trouble}")
        if change.get("approval"):
            print(
                f"  Waits for: loopwright approve {change['approval']}   (or: loopwright reject {change['approval']})"
            )


def logs(parsed: argparse.Namespace) -> int:
    """Print a log; with --follow until interrupted."""
    client = _running(parsed)
    offset = 0
    while True:
        found = client.get(f"/v1/logs/{quote(parsed.workload, safe='')}", part=parsed.part, offset=offset)
        if parsed.json:
            print(json.dumps(found))
        else:
            sys.stdout.write(found["text"])
            sys.stdout.flush()
        if parsed.follow and found["files"] > 1:
            raise UsageError(
                f"{parsed.part} has {found['files']} replicas, expected one log to follow. Leave out --follow."
            )
        more = found["next_offset"] > offset
        offset = found["next_offset"]
        if more:
            continue
        if not parsed.follow:
            return 0
        time.sleep(_FOLLOW)


def _running(parsed: argparse.Namespace) -> Client:
    client = Client(StateFolder.resolve(parsed.home))
    if not client.running():
        raise NotFoundError(f"Nothing runs for {client.state.root}. `loopwright up DIR` starts it.")
    return client


def history(parsed: argparse.Namespace) -> int:
    """Show facts, or verify them: exit status 1 where the record is not whole."""
    return _verify(parsed) if parsed.action == "verify" else _list(parsed)


def _list(parsed: argparse.Namespace) -> int:
    state = StateFolder.resolve(parsed.home)
    client = Client(state)
    if client.running():
        facts = client.get("/v1/history", workload=parsed.workload, limit=parsed.limit)
    else:
        from loopwright.operations.records import stopped_history

        facts = stopped_history(state, parsed.workload, parsed.limit)
    if parsed.json:
        print(json.dumps(facts))
        return 0
    table = [
        [str(f["sequence"]), _local(f["time"]), f["actor"], f["kind"], f["key"], f["summary"]] for f in facts
    ]
    print("\n".join(render(table)) if table else "Nothing is recorded yet.")
    return 0


def _local(text: str) -> str:
    return datetime.fromisoformat(text).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def _verify(parsed: argparse.Namespace) -> int:
    state = StateFolder.resolve(parsed.home)
    client = Client(state)
    if client.running():
        found = client.get("/v1/history/verify")
    else:
        from loopwright.operations.records import stopped_verify

        found = stopped_verify(state)
    if parsed.json:
        print(json.dumps(found))
    else:
        print(found["sentence"])
    return 0 if found["ok"] else 1
