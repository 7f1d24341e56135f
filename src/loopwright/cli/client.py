"""The CLI's end of the control plane's API: one JSON request at a time over the Unix socket.

Standard library only: this is on the path of every command.
"""

from __future__ import annotations

import http.client
import json
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from loopwright import __version__
from loopwright.errors import ConflictError, MachineError, TemporaryError, from_report
from loopwright.state import StateFolder

_START_PATIENCE = 60.0  # seconds that a control plane may take to answer
_POLL = 0.05


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


class Client:
    """Asks the control plane of a state folder."""

    def __init__(self, state: StateFolder) -> None:
        self.state = state
        self._socket = state.shared_socket if state.is_foreign() else state.control_socket

    def get(self, path: str, timeout: float = 30.0, **query: Any) -> Any:
        """GET; query values of None are left out, lists are repeated. Raises the error that was reported, or TemporaryError for no answer."""
        given = {name: value for name, value in query.items() if value is not None}
        return self._ask("GET", f"{path}?{urlencode(given, doseq=True)}" if given else path, None, timeout)

    def post(self, path: str, body: dict[str, Any], timeout: float = 300.0) -> Any:
        """POST a JSON body."""
        return self._ask("POST", path, body, timeout)

    def _ask(self, method: str, path: str, body: dict[str, Any] | None, timeout: float) -> Any:
        connection = _UnixConnection(self._socket, timeout)
        content = None if body is None else json.dumps(body)
        try:
            connection.request(method, path, content, {"content-type": "application/json"})
            response = connection.getresponse()
            content_read = response.read()
        except (OSError, http.client.HTTPException) as error:
            raise TemporaryError(
                f"The control plane does not answer at {self.state.control_socket}: {error}."
            ) from error
        finally:
            connection.close()
        answer = json.loads(content_read)
        if response.status >= 400:
            told = answer.get("error", {"code": "error", "message": str(answer), "details": {}})
            raise from_report(told["code"], told["message"], told["details"])
        return answer

    def health(self) -> dict[str, Any] | None:
        """What the control plane says of itself; None where none answers."""
        try:
            answer: dict[str, Any] = self.get("/v1/health", timeout=5.0)
        except TemporaryError:
            return None
        return answer

    def running(self) -> bool:
        """Whether a control plane answers."""
        return self.health() is not None


def connect(state: StateFolder) -> Client:
    """A client of this state's control plane, which is started in the background where none runs."""
    if state.is_foreign():
        return _shared(state)
    state.create()
    client = Client(state)
    health = client.health() or start(client)
    if health["version"] != __version__:
        raise ConflictError(
            f"The control plane that runs is Loopwright {health['version']}, this command is {__version__}. "
            "Run `loopwright down` and ask again; what is recorded stays."
        )
    return client


def _shared(state: StateFolder) -> Client:
    """A client of another user's control plane, as a member of the group that it is shared with."""
    client, owner = Client(state), state.root.stat().st_uid
    try:
        trusted = state.shared_socket.parent.stat().st_uid == owner
    except OSError:
        trusted = False
    if not trusted or not client.running():
        raise MachineError(
            f"The state folder {state.root} belongs to another user (uid {owner}), and is not shared with you, or does not run now. "
            'Its owner shares it by "group" in its settings.json.'
        )
    return client


def start(client: Client) -> dict[str, Any]:
    """Start a control plane's process and wait until one answers; raises MachineError with its last words where none comes up."""
    state = client.state
    deadline = time.monotonic() + _START_PATIENCE
    before, process = _last_holder(state), _spawn(state)
    while time.monotonic() < deadline:
        health = client.health()
        if health is not None:
            return health
        if process.poll() is not None and not lock_is_held(state):
            # Killed from outside, or refused by another that has died since: neither says anything of the next.
            if process.returncode >= 0 and _lock_names(state) in (before, str(process.pid)):
                break
            before, process = _last_holder(state), _spawn(state)
        time.sleep(_POLL)
    words = _last_words(state)
    raise MachineError(f"The control plane did not come up: {words} More is in {state.control_log}.")


def _spawn(state: StateFolder) -> subprocess.Popen[bytes]:
    with state.control_log.open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "loopwright.server", "--home", str(state.root)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=state.root,
            start_new_session=True,
        )


def lock_is_held(state: StateFolder) -> bool:
    """Whether some process is this state's control plane, or is coming up as it."""
    from loopwright.locks import held

    return held(state.control_lock)


def _last_holder(state: StateFolder) -> str:
    """Who was this state's control plane last; empty where it still is."""
    return "" if lock_is_held(state) else _lock_names(state)


def _lock_names(state: StateFolder) -> str:
    from loopwright.locks import holder

    try:
        return holder(state.control_lock)
    except FileNotFoundError:
        return "nobody yet"


def stopped_on_purpose(state: StateFolder) -> bool:
    """Whether `loopwright down` was the last word on this state."""
    try:
        return bool(json.loads(state.desired.read_bytes())["stopping"])
    except (OSError, ValueError, KeyError):
        return False


def _last_words(state: StateFolder) -> str:
    try:
        lines = state.control_log.read_text(errors="replace").splitlines()
    except FileNotFoundError:
        return "it said nothing."
    said = [line for line in lines if line.strip() and not line.startswith("{")]
    return said[-1].removeprefix("loopwright: ") if said else "it said nothing."
