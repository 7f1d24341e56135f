"""Unix sockets that nobody else can open before their rights are set."""

from __future__ import annotations

import os
import socket
from pathlib import Path


def bound(path: Path) -> socket.socket:
    """A socket of mode 0600 from its first moment. Its owner holds the control plane's lock: a file found there is a leftover."""
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX)
    before = os.umask(0o177)
    try:
        listener.bind(str(path))
    finally:
        os.umask(before)
    return listener
