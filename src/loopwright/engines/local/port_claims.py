"""Which state folder of this user has which gateway port, so that no two ever share one.

Envoys of one user may listen on one port together (SO_REUSEPORT), so a second gateway would join the first silently
and take half of its requests; asking whether the port is free is not enough when two start at the same moment. A claim
is a file per port in a folder of this user; it holds while the state folder that it names still says the same.
"""

from __future__ import annotations

import fcntl
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["claim"]


def claim(port: int, settings: Path, folder: Path | None = None) -> bool:
    """Claim a port for the state folder with these settings; False where another one has it."""
    folder = folder or Path(tempfile.gettempdir()) / f"loopwright-ports-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    with _locked(folder / "lock"):
        file = folder / str(port)
        holder = Path(file.read_text()) if file.exists() else None
        if holder is not None and holder != settings and _begins_or_has(holder, port):
            return False
        file.write_text(str(settings))
    return True


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    descriptor = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _begins_or_has(settings: Path, port: int) -> bool:
    """Whether a state folder has this port, or is still to write down which one it has."""
    if not settings.parent.is_dir():
        return False
    try:
        return bool(json.loads(settings.read_bytes()).get("gateway_port", port) == port)
    except (OSError, ValueError, AttributeError):
        return True
