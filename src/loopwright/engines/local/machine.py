"""What this machine has, as far as it decides what the local engine can do."""

from __future__ import annotations

import os
import re
from pathlib import Path

import psutil

from loopwright.engines.base import Machine

__all__ = ["this_machine"]


def this_machine() -> Machine:
    """Look at the cores that this process may use, the memory, the GPUs and /dev/shm."""
    return Machine(
        cores=len(os.sched_getaffinity(0)),
        memory=psutil.virtual_memory().total,
        gpus=_gpus(Path("/dev")),
        shared_memory=_shared_memory(Path("/dev/shm")),  # noqa: S108
    )


def _gpus(devices: Path) -> int:
    """NVIDIA's, each of which has a device file of its own."""
    return sum(re.fullmatch(r"nvidia[0-9]+", path.name) is not None for path in devices.iterdir())


def _shared_memory(folder: Path) -> int:
    try:
        found = os.statvfs(folder)
    except OSError:
        return 0
    return found.f_blocks * found.f_frsize
