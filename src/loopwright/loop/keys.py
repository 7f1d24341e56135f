"""The keys that clients of an endpoint send; made at the first need, kept in a file that only its owner reads."""

from __future__ import annotations

import json
import secrets
import threading
from pathlib import Path

from loopwright.errors import IntegrityError
from loopwright.state import StateFolder, replace_file

_writing = threading.Lock()
_read: dict[Path, tuple[tuple[int, int], dict[str, str]]] = {}  # file -> which one it was, and what it held


def endpoint_key(state: StateFolder, environment: str, workload: str) -> str:
    """The key of an endpoint's default client."""
    return _key(state, f"{environment}/{workload}")


def feedback_key(state: StateFolder, environment: str, workload: str) -> str:
    """The key with which labels and events are written for an endpoint; it scores nothing."""
    return _key(state, f"{environment}/{workload}/feedback")


def key_of_tests(state: StateFolder, environment: str, workload: str) -> str:
    """The key of our own tests of an endpoint: what comes with it is no live traffic, and observations say so."""
    return _key(state, f"{environment}/{workload}/test")


def _key(state: StateFolder, name: str) -> str:
    with _writing:
        keys = _keys(state.endpoint_keys)
        if name not in keys:
            keys[name] = f"lw-{secrets.token_urlsafe(24)}"
            replace_file(state.endpoint_keys, json.dumps(keys, indent=2).encode(), durable=True)
    return str(keys[name])


def _keys(file: Path) -> dict[str, str]:
    """What the file holds; read only when it is another one, since every tick asks for every endpoint."""
    try:
        status = file.stat()
    except FileNotFoundError:
        return {}
    which = (status.st_mtime_ns, status.st_ino)
    if file not in _read or _read[file][0] != which:
        _read[file] = (which, _parsed(file))
    return dict(_read[file][1])


def _parsed(file: Path) -> dict[str, str]:
    try:
        keys = json.loads(file.read_bytes())
    except ValueError:
        keys = None
    if not isinstance(keys, dict) or not all(isinstance(key, str) for key in keys.values()):
        raise IntegrityError(
            f"{file} is damaged: expected an object of endpoints and their keys. Restore it from a backup, or remove it: then new "
            "keys are made, and every client needs its new one."
        )
    return keys


def check_endpoint_keys(state: StateFolder) -> None:
    """Raise IntegrityError where the file of keys is not what was written."""
    with _writing:
        _keys(state.endpoint_keys)
