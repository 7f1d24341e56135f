"""`loopwright service install`, `uninstall` and `status`."""

from __future__ import annotations

import argparse
import json
import os
import signal

from loopwright.cli.client import Client
from loopwright.operations import service
from loopwright.state import StateFolder


def install(parsed: argparse.Namespace) -> int:
    """Hand the control plane to systemd, or show the unit."""
    unit = _unit(parsed)
    if parsed.print:
        print(
            json.dumps({"file": str(unit.path), "text": service.shown(unit)})
            if parsed.json
            else service.shown(unit)
        )
        return 0
    before = Client(unit.state).health()
    made = service.install(unit)
    _hand_over(unit, before)
    if parsed.json:
        print(json.dumps(made))
        return 0
    print(f"{made['file']} is enabled and started; `loopwright service status` shows how it stands.")
    if not made["lingers"]:
        print("It runs while you are logged in. For always, also without you: loginctl enable-linger")
    return 0


def _hand_over(unit: service.Unit, before: dict[str, object] | None) -> None:
    """systemd's waits for the one that ran until now: end that, and nothing that it runs."""
    if before is not None and str(before["pid"]) != str(service.status(unit)["pid"]):
        os.kill(int(str(before["pid"])), signal.SIGTERM)


def uninstall(parsed: argparse.Namespace) -> int:
    """Stop it and remove the unit."""
    removed = service.uninstall(_unit(parsed))
    print(json.dumps(removed) if parsed.json else f"{removed['file']} is removed, and what it ran has ended.")
    return 0


def status(parsed: argparse.Namespace) -> int:
    """Exit status 0 where it is installed and active."""
    found = service.status(_unit(parsed))
    if parsed.json:
        print(json.dumps(found))
    elif not found["installed"]:
        print(f"{found['unit']} is not installed ({found['file']}). `loopwright service install` does.")
    else:
        pid = f", pid {found['pid']}" if found["pid"] else ""
        print(
            f"{found['unit']}: {found['active']}{pid}, {found['enabled']}, restarted {found['restarts']} times."
        )
        if not found["lingers"]:
            print("It runs while you are logged in. For always, also without you: loginctl enable-linger")
    return 0 if found["installed"] and found["active"] == "active" else 1


def _unit(parsed: argparse.Namespace) -> service.Unit:
    return service.Unit(StateFolder.resolve(parsed.home), parsed.system)
