"""The control plane as a process; started by the CLI, or again by the agent, or by hand in the foreground."""

from __future__ import annotations

import argparse
import os
import socket
import sys

import uvicorn

from loopwright.errors import LoopwrightError, StaleEpochError
from loopwright.log import configure, logger
from loopwright.operations.control import ControlPlane, stand_by
from loopwright.server.app import create
from loopwright.server.credentials import PeerProtocol
from loopwright.server.sharing import share
from loopwright.server.sockets import bound
from loopwright.state import StateFolder

_log = logger("server")


def main() -> None:
    """Serve until stopped by a signal or by `down`."""
    parser = argparse.ArgumentParser(
        prog="python -m loopwright.server", description="Run the control plane of a state folder."
    )
    parser.add_argument("--home", help="state folder; else $LOOPWRIGHT_HOME, else ~/.loopwright")
    parser.add_argument(
        "--wait",
        action="store_true",
        help="stand by while another control plane runs, and take over when it ends",
    )
    parser.add_argument(
        "--supervised", action="store_true", help="a service manager starts it again, so the agent need not"
    )
    arguments = parser.parse_args()
    configure()
    try:
        serve(StateFolder.resolve(arguments.home), arguments.wait, arguments.supervised)
    except LoopwrightError as error:
        print(f"loopwright: {error.message}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:  # while it stood by
        sys.exit(130)


def serve(state: StateFolder, wait: bool = False, supervised: bool = False) -> None:
    """Open the control plane, listen, and close it again. Raises StaleEpochError where another has taken over."""
    hold = stand_by(state, _tell) if wait else None
    if wait and hold is None:
        print("loopwright: Everything was stopped meanwhile, so nothing is taken over.", file=sys.stderr)
        return
    control = ControlPlane(state, hold, supervised)
    listener, shared = listen(state), share(state)
    config = uvicorn.Config(
        create(control),
        http=PeerProtocol,
        log_config=None,
        access_log=False,
        lifespan="off",
        timeout_graceful_shutdown=3,
    )
    server = uvicorn.Server(config)
    control.stop_server = lambda: setattr(server, "should_exit", True)
    control.start()
    _log.info("control plane is up", extra={"action": "start", "pid": os.getpid(), "epoch": control.epoch})
    try:
        server.run(sockets=[listener, *([shared] if shared else [])])
    finally:
        if shared:
            state.shared_socket.unlink(missing_ok=True)
        state.control_socket.unlink(missing_ok=True)
        control.close()
        _log.info("control plane has ended", extra={"action": "stop", "everything": control.stopping})
    if control.lost:
        raise StaleEpochError("Another control plane has taken over this state; this one has ended.")


def _tell(sentence: str) -> None:
    print(f"loopwright: {sentence} Waiting for it to end.", file=sys.stderr, flush=True)


def listen(state: StateFolder) -> socket.socket:
    """The socket of the command line."""
    listener = bound(state.control_socket)
    listener.listen(64)
    return listener


if __name__ == "__main__":
    main()
