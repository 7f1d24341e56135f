"""The two ports of a state folder: chosen once, then kept in settings.json, since clients and scripts hold on to them."""

from __future__ import annotations

import json
import secrets
import socket
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from loopwright.engines.local.port_claims import claim
from loopwright.engines.local.port_holder import holder
from loopwright.errors import MachineError
from loopwright.state import keep_settings, read_settings

__all__ = ["GATEWAY_VARIABLE", "Ports", "chosen", "is_free"]

GATEWAY_VARIABLE = "LOOPWRIGHT_GATEWAY_PORT"
_GATEWAY = 8080
_GATEWAY_TRIES = 100
_SERVICES = range(20000, 30000)  # below the ports that systems give to outgoing connections
_SERVICE_TRIES = 200


class Ports(msgspec.Struct, frozen=True, kw_only=True):
    """Where the gateway and the tracking server listen, on 127.0.0.1."""

    gateway_port: int
    mlflow_port: int


def chosen(
    settings: Path, environment: Mapping[str, str], free: Callable[[int], bool] | None = None
) -> Ports:
    """The ports in settings.json; at the first time they are chosen, and stored there beside what else it holds.

    Raises MachineError where the file or the variable is not what it should be, or no port is free.
    """
    known = _known(settings)
    if known.keys() >= set(Ports.__struct_fields__):
        return Ports(**known)
    gateway = known.get("gateway_port") or _gateway(
        environment, free or (lambda port: is_free(port) and claim(port, settings))
    )
    mlflow = known.get("mlflow_port") or _service(gateway, free or is_free)
    ports = Ports(gateway_port=gateway, mlflow_port=mlflow)
    keep_settings(settings, **msgspec.to_builtins(ports))
    return ports


def _known(settings: Path) -> dict[str, int]:
    """The ports that the file has, one alone too; raises MachineError for one that is none."""
    known = {name: port for name, port in read_settings(settings).items() if name in Ports.__struct_fields__}
    for name, port in known.items():
        if type(port) is not int or not 0 < port < 65536:  # not isinstance: true is an int
            raise MachineError(
                f"{settings}: `{name}`: found {json.dumps(port)}, expected a port from 1 to 65535. "
                "Mend it, or remove it to have one chosen anew."
            )
    return known


def is_free(port: int) -> bool:
    """Whether somebody could listen there now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
            probe.listen(1)
        except OSError:
            return False
    return True


def _gateway(environment: Mapping[str, str], free: Callable[[int], bool]) -> int:
    asked = environment.get(GATEWAY_VARIABLE, "")
    if asked:
        if not asked.isdecimal() or not 0 < int(asked) < 65536:
            raise MachineError(f"{GATEWAY_VARIABLE} is {asked!r}, expected a port number from 1 to 65535.")
        if not free(int(asked)):
            raise MachineError(
                f"{GATEWAY_VARIABLE} is {asked}, but {holder(int(asked))} has this port. Stop that process, or choose another port."
            )
        return int(asked)
    for port in range(_GATEWAY, _GATEWAY + _GATEWAY_TRIES):
        if free(port):
            return port
    last = _GATEWAY + _GATEWAY_TRIES - 1
    raise MachineError(
        f"No port from {_GATEWAY} to {last} is free for the gateway. Name one with {GATEWAY_VARIABLE}."
    )


def _service(taken: int, free: Callable[[int], bool]) -> int:
    # At random: two state folders that begin at the same moment do not find the same one free.
    for _ in range(_SERVICE_TRIES):
        port = _SERVICES.start + secrets.randbelow(len(_SERVICES))
        if port != taken and free(port):
            return port
    raise MachineError(
        f"No free port was found from {_SERVICES.start} to {_SERVICES.stop - 1} for the tracking server."
    )
