"""`loopwright status`, `logs` and `history`."""

from __future__ import annotations

import argparse
import json
import sys
import time
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
