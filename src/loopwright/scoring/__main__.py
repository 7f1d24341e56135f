"""`python -m loopwright.scoring --settings serving.json (--socket PATH | --http HOST:PORT)`: one replica.

Exit status: 0 asked to stop, 1 cannot serve, 2 not understood, 3 the scoring script did not come up.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import os
import sys
from pathlib import Path

from loopwright import pins
from loopwright.errors import LoopwrightError, UsageError
from loopwright.scoring.address import Address, grpc_place
from loopwright.scoring.fronts import Front
from loopwright.scoring.grpc_door import GrpcDoor
from loopwright.scoring.logs import Log
from loopwright.scoring.replica import INIT_FAILED, Replica
from loopwright.scoring.settings import Settings, load, secret_values
from loopwright.secrets.masking import Masker


def main() -> int:
    """Run a replica to its end; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m loopwright.scoring", description="Serve a package.")
    parser.add_argument("--settings", type=Path, required=True, help="the replica's serving.json")
    place = parser.add_mutually_exclusive_group(required=True)
    place.add_argument("--socket", type=Path, help="the Unix socket to serve on; a stale one is replaced")
    place.add_argument(
        "--http", metavar="HOST:PORT", help="the address to serve on, open to all who reach it"
    )
    parser.add_argument(
        "--grpc-port", type=int, metavar="PORT", help="with --http: a port of the same host for gRPC"
    )
    parser.add_argument(
        "--front", type=int, help=argparse.SUPPRESS
    )  # by which the first front starts the others
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--listener", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    try:
        settings = load(arguments.settings)
        refused = _not_as_locked(settings)
        if refused:
            print(f"init failed: {refused}", file=sys.stderr)
            return INIT_FAILED
        masker = Masker(secret_values(settings))
        log = Log(
            masker=masker,
            workload=settings.workload,
            environment=settings.environment,
            revision=settings.revision,
        )
        with asyncio.Runner(loop_factory=_event_loop) as runner:
            address = Address.parse(arguments.http) if arguments.http else arguments.socket.absolute()
            front = Front(arguments.front, arguments.folder, arguments.listener) if arguments.folder else None
            grpc = GrpcDoor(
                grpc_place(address, settings.grpc, arguments.grpc_port) if front is None else None
            )
            return runner.run(Replica(settings, address, log, sys.argv[1:], front, grpc).serve())
    except LoopwrightError as error:
        print(error.message, file=sys.stderr)
        return 2 if isinstance(error, UsageError) else 1


def _not_as_locked(settings: Settings) -> str:
    """Why nothing may start in this environment: it holds other packages than the package's lock says."""
    if settings.compiled:  # of which nothing is used
        return ""
    lock = Path(settings.package) / "requirements.lock"
    return pins.refusal(lock.read_text(), Path(settings.python).parent.parent) if lock.is_file() else ""


def _event_loop() -> asyncio.AbstractEventLoop:
    """uvloop where it is installed: it serves a third more; else the standard one."""
    try:
        loop: asyncio.AbstractEventLoop = importlib.import_module("uvloop").new_event_loop()
    except ModuleNotFoundError:
        return asyncio.new_event_loop()
    return loop


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(
        status
    )  # the server's own threads may still run, and end badly in an interpreter that is being taken down
