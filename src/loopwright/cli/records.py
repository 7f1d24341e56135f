"""`loopwright status`, `logs` and `history`."""

from __future__ import annotations

import argparse
import json
import time
from typing import Any

from loopwright.cli.client import Client
from loopwright.cli.home import home_option
from loopwright.cli.live import rows
from loopwright.cli.readiness import readiness
from loopwright.cli.table import render
from loopwright.state import StateFolder


def status(parsed: argparse.Namespace) -> int:
    """Show it; nothing is started for it."""
    state = StateFolder.resolve(parsed.home)
    client = Client(state)
    if client.running():
        found = client.get("/v1/status", workload=parsed.workload)
    else:
        from loopwright.operations.records import stopped_status

        found = stopped_status(state, parsed.workload)
    if parsed.json:
        print(json.dumps(found))
    elif found["running"]:
        _show_status(found, home_option(state))
    else:
        _show_stopped(found, home_option(state))
    return 0


def _show_stopped(found: dict[str, Any], home: str) -> None:
    print(f"Nothing runs for {found['home']}. `loopwright up DIR{home}` starts it.")
    for workload in found["workloads"]:
        served = ", ".join(f"{name} {version}" for name, version in workload["released"].items())
        print(
            f"  {workload['workload']}: {workload['change']} ({workload['folder']}); last released: {served or 'nothing'}"
        )


def _show_status(found: dict[str, Any], home: str) -> None:
    services = ", ".join(f"{name} {service['state']}" for name, service in found["services"].items())
    print(f"{found['home']}: {services or 'starting'}; tracking at {found['tracking_url']}")
    if found.get("trouble"):
        print(f"Nothing goes on now: {found['trouble']}")
    for name, service in found["services"].items():
        if service["state"] != "ready" and service["message"]:
            print(f"  {name}: {service['message']}")
    if not found["workloads"]:
        print(f"No workload yet. Start one: loopwright up DIR{home}")
    for workload in found["workloads"]:
        _show_workload(workload, home)


def _show_workload(workload: dict[str, Any], home: str) -> None:
    change = workload["change"]
    print(f"\n{workload['workload']}: {change['change']} {change['state']} ({workload['folder']})")
    if change.get("trouble"):
        print(f"  {change['trouble']}")
    print("\n".join(render(rows(change, time.time()), "  ")))
    for transfer in workload.get("transfers", ()):
        print(f"  {transfer['change']} {transfer['state']}")
        print("\n".join(render(rows(transfer, time.time()), "    ")))
    for environment, serving in workload["environments"].items():
        trouble = f"; {serving['failing']}" if serving["failing"] else ""
        print(f"  {environment}: {serving['version']} at {serving['url']}, {readiness(serving)}{trouble}")
    for waiting in (change, *workload.get("transfers", ())):
        if approval := waiting.get("approval"):
            print(
                f"  Waits for: loopwright approve {approval}{home}   (or: loopwright reject {approval}{home})"
            )
