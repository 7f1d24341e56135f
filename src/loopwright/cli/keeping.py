"""`loopwright backup` and `restore`."""

from __future__ import annotations

import argparse
import getpass
import json
from datetime import UTC, datetime
from pathlib import Path

from loopwright.cli.client import Client, connect
from loopwright.cli.home import home_option, with_home
from loopwright.state import StateFolder


def backup(parsed: argparse.Namespace) -> int:
    """Write the file, and have it recorded where a control plane runs."""
    from loopwright.operations.backup import backup as write

    state = StateFolder.resolve(parsed.home)
    made = write(state, Path(parsed.file))
    client = Client(state)
    if client.running():
        client.post("/v1/backups", {"file": Path(parsed.file).name, **made["ledger"]})
    if parsed.json:
        print(json.dumps(made))
    else:
        print(
            f"{made['file']}: {made['ledger']['sequence']} facts and {made['files'] - 1} files, "
            f"{made['size'] / 1024**2:.1f} MiB. It holds keys: keep it as you keep the state folder."
        )
    return 0


def restore(parsed: argparse.Namespace) -> int:
    """Make the state folder, and start its control plane where that is asked for."""
    from loopwright.operations.restore import restore as make

    state = StateFolder.resolve(parsed.home)
    made = make(state, Path(parsed.file), getpass.getuser())
    if parsed.start:
        connect(state)
    if parsed.json:
        print(json.dumps(made))
        return 0
    home = home_option(state)
    moment = datetime.fromtimestamp(made["created"], UTC).isoformat(sep=" ", timespec="seconds")
    print(f"{made['home']} is as it was at {moment}: {made['sequence']} facts, which hold.")
    if made["ports_taken"]:
        ports = " and ".join(map(str, made["ports_taken"]))
        told = f"Somebody has port {ports} on this machine, so others are chosen; `loopwright status` shows them."
        print(with_home(told, home))
    told = "`loopwright server` brings up again what served; so does `loopwright service install`, for good."
    if parsed.start:
        told = "What served is brought up again; `loopwright status` shows it."
    print(with_home(told, home))
    return 0
