"""A doorbell: the agent and the control plane wake each other by a datagram on a Unix socket.

A ring says only "look again", so one that is lost costs no more than the next look, a second later. Standard library
only, since each job's shim imports it.
"""

from __future__ import annotations

import os
import select
import socket

__all__ = ["Doorbell", "ring"]


class Doorbell:
    """Owns the socket at `path` (an old one is replaced) and waits at it. One thread may wait, any may ring."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        if os.path.exists(path):  # noqa: PTH110
            os.unlink(path)  # noqa: PTH108
        self._socket.bind(path)
        os.chmod(path, 0o600)  # noqa: PTH101

    def fileno(self) -> int:
        """The descriptor, for an event loop that waits at several things."""
        return self._socket.fileno()

    def wait(self, timeout: float) -> bool:
        """Whether somebody rang within `timeout` seconds; rings that piled up count as one."""
        if not select.select([self._socket], [], [], max(0.0, timeout))[0]:
            return False
        try:
            while self._socket.recv(16):
                pass
        except BlockingIOError:
            pass
        return True

    def close(self) -> None:
        """Take the bell down."""
        self._socket.close()
        try:
            os.unlink(self.path)  # noqa: PTH108
        except FileNotFoundError:
            return


def ring(path: str) -> None:
    """Ring the bell at `path`; nobody there, or a bell that rings already, is no error."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.setblocking(False)
        try:
            sender.sendto(b"!", path)
        except OSError:
            return
