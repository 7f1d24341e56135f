"""`loopwright down`, `doctor` and `server`."""

from __future__ import annotations

import argparse
import json
import time

from loopwright.cli.client import Client, lock_is_held
from loopwright.cli.home import home_option, with_home
from loopwright.cli.table import render
from loopwright.errors import ConflictError, MachineError, TemporaryError
from loopwright.state import StateFolder

_PATIENCE = 60.0
_AGAIN = 0.1


def down(parsed: argparse.Namespace) -> int:
    """Stop the control plane, the agent and all that it runs."""
    state = StateFolder.resolve(parsed.home)
    stopped = bring_down(state)
    if parsed.json:
        print(json.dumps({"stopped": stopped, "home": str(state.root)}))
    elif stopped:
        told = "Everything has stopped. What was recorded stays; `loopwright up` brings it back."
        print(with_home(told, home_option(state)))
    else:
        print(f"Nothing runs for {state.root}.")
    return 0


def bring_down(state: StateFolder) -> bool:
    """End everything of a state folder; False where nothing ran. Returns when it has ended."""
    if not state.root.exists():
        return False
    client = Client(state)
    deadline = time.monotonic() + _PATIENCE
    while True:
        health = client.health()
        try:
            if health is None:
                return _stop_without(state)
            client.post("/v1/down", {})
            _await_end(client, health["pid"])
        except (ConflictError, TemporaryError):
            # One that comes up, or goes, does not answer, or not any more; it will, or leave the lock.
            if time.monotonic() > deadline:
                raise
            time.sleep(_AGAIN)
        else:
            return True


def _stop_without(state: StateFolder) -> bool:
    from loopwright.operations.control import stop_without_control_plane

    return stop_without_control_plane(state)


def _await_end(client: Client, pid: int) -> None:
    """Until the lock is free and the process that held it is gone: nothing may be left when `down` returns."""
    deadline = time.monotonic() + _PATIENCE
    while lock_is_held(client.state) or _lives(pid):
        if time.monotonic() > deadline:
            raise MachineError(
                f"Not everything ended within {_PATIENCE:.0f} s. The log says why: {client.state.control_log}"
            )
        time.sleep(0.05)


def _lives(pid: int) -> bool:
    """Whether a process is there, and is not only waiting for its parent to take notice of its end."""
    import psutil

    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def doctor(parsed: argparse.Namespace) -> int:
    """Exit status 0 where nothing lacks."""
    from loopwright.operations.machine import doctor as look

    found = look(StateFolder.resolve(parsed.home))
    if parsed.json:
        print(json.dumps(found))
    else:
        rows = [
            ["ok" if check["ok"] else "LACKS", check["name"], check["found"]] for check in found["checks"]
        ]
        print("\n".join(render(rows)))
        for check in found["checks"]:
            if not check["ok"]:
                print(f"\n{check['name']}: {check['advice']}")
    return 0 if found["ok"] else 1


def server(parsed: argparse.Namespace) -> int:
    """Run the control plane in this process."""
    import os
    import sys

    state = StateFolder.resolve(parsed.home)
    sys.stdout.flush()
    # A process of its own kind, so that the CLI room need not know the server room.
    words = [sys.executable, "-m", "loopwright.server", "--home", str(state.root)]
    os.execv(sys.executable, [*words, *(["--wait"] if parsed.wait else [])])  # noqa: S606
