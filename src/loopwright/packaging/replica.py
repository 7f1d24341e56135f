"""Asking a package's own replica one question: started as a child of this job, and always stopped."""

from __future__ import annotations

import http.client
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from loopwright.errors import StepFailed
from loopwright.scoring import Settings

START_TIMEOUT = 120.0  # seconds from the start to ready; loading weights takes long
_LOOK = 0.02  # seconds between two looks at /readyz
_SPARE = 5.0  # seconds beyond the replica's grace period before it is killed
_LAST_LINES = 15


@dataclass(frozen=True)
class _Replica:
    """A replica that was started: its process, its socket, and what it has written."""

    process: subprocess.Popen[bytes]
    socket: Path
    log: Path
    entry: str

    def lines(self) -> list[str]:
        return self.log.read_text(errors="replace").splitlines()

    def request(self, method: str, path: str, timeout: float, body: bytes | None = None) -> tuple[int, bytes]:
        """One request; raises OSError or HTTPException where there is no answer."""
        connection = _UnixConnection(self.socket, timeout)
        try:
            connection.request(method, path, body, {"content-type": "application/json"})
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path, timeout: float) -> None:
        super().__init__("replica", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


def ask(settings: Settings, request: Mapping[str, Any], start_timeout: float = START_TIMEOUT) -> Any:
    """The replica's answer to one row; raises StepFailed where it does not come up or does not answer with a 200."""
    with _running(settings) as replica:
        _wait_until_ready(replica, start_timeout)
        return _answer(replica, msgspec.json.encode(request), settings.limits.timeout + _SPARE)


@contextmanager
def _running(settings: Settings) -> Iterator[_Replica]:
    # Not in the job's folder, whose path may be too long for a socket.
    with tempfile.TemporaryDirectory(prefix="loopwright-") as place:
        path, file, log = Path(place) / "r.sock", Path(place) / "serving.json", Path(place) / "log.txt"
        file.write_bytes(msgspec.json.encode(settings))
        command = (sys.executable, "-m", "loopwright.scoring", "--settings", str(file), "--socket", str(path))
        with log.open("wb") as output:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
            )
        try:
            yield _Replica(process, path, log, settings.model.path if settings.model else settings.entry)
        finally:
            _stop(process, settings.grace_period + _SPARE)
            sys.stdout.write(log.read_text(errors="replace"))  # into the job's own log


def _stop(process: subprocess.Popen[bytes], patience: float) -> None:
    process.send_signal(signal.SIGTERM)  # nothing happens where it has ended
    try:
        process.wait(patience)
    except subprocess.TimeoutExpired:
        process.kill()  # its workers end with it
        process.wait()


def _wait_until_ready(replica: _Replica, within: float) -> None:
    deadline = time.monotonic() + within
    message = "nothing listens"
    while replica.process.poll() is None and time.monotonic() < deadline:
        try:
            status, body = replica.request("GET", "/readyz", _SPARE)
            if status == 200:
                return
            message = str(msgspec.json.decode(body)["message"])
        except (OSError, http.client.HTTPException):
            pass  # it does not listen yet, or any more
        time.sleep(_LOOK)
    if replica.process.returncode is None:
        raise StepFailed(
            f"{replica.entry} was not ready to score within {within:g} s ({message}).{_tail(replica)}"
        )
    said = next((line for line in reversed(replica.lines()) if line.startswith("init failed")), "")
    if not said:
        status = replica.process.returncode
        raise StepFailed(
            f"The replica of {replica.entry} ended with status {status} before it could score.{_tail(replica)}"
        )
    raise StepFailed(
        f"{replica.entry} cannot start to score: {said.rstrip('.')}. Correct it, or what training writes."
    )


def _answer(replica: _Replica, row: bytes, timeout: float) -> Any:
    try:
        status, body = replica.request("POST", "/score", timeout, row)
        answer = msgspec.json.decode(body)
    except (OSError, http.client.HTTPException, msgspec.DecodeError) as error:
        raise StepFailed(
            f"{replica.entry} gave no answer to the row {row.decode()}: {error}.{_tail(replica)}"
        ) from error
    if status != 200:
        said = answer["error"]["message"] if isinstance(answer, dict) and "error" in answer else answer
        raise StepFailed(
            f"{replica.entry} does not answer a row of its training data: status {status}, {_reason(replica) or said} The row: {row.decode()}"
        )
    return answer


def _reason(replica: _Replica) -> str:
    """Why the last request failed, as the replica's log has it: exception, file and line of user code."""
    reasons = [str(event["error"]) for event in _events(replica) if event.get("action") == "score-failed"]
    return f"{reasons[-1].rstrip('.')}." if reasons else ""


def _events(replica: _Replica) -> Iterator[dict[str, Any]]:
    for line in replica.lines():
        try:
            event = msgspec.json.decode(line)
        except msgspec.DecodeError:
            continue  # what user code printed
        if isinstance(event, dict):
            yield event


def _tail(replica: _Replica) -> str:
    return "".join(f"\n    {line}" for line in replica.lines()[-_LAST_LINES:])
