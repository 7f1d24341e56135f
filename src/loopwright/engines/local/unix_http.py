"""HTTP over a Unix socket, with the standard library: how the agent asks a replica, and the driver probes one."""

from __future__ import annotations

import http.client
import socket

__all__ = ["ask"]


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def ask(path: str, target: str, timeout: float, body: bytes | None = None) -> tuple[int, bytes]:
    """GET, or POST where there is a body: status and body of the answer. Raises OSError where none came."""
    connection = _UnixConnection(path, timeout)
    headers = {"Connection": "close"} | ({"Content-Type": "application/json"} if body is not None else {})
    try:
        connection.request("GET" if body is None else "POST", target, body=body, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    except http.client.HTTPException as error:
        raise OSError(f"not HTTP: {error!r}") from error
    finally:
        connection.close()
