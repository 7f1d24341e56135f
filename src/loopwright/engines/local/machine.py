"""What this machine has, as far as it decides what the local engine can do."""

from __future__ import annotations

import os

import psutil

from loopwright.engines.base import Machine

__all__ = ["this_machine"]


def this_machine() -> Machine:
    """Look at the cores that this process may use, and at the memory."""
    return Machine(cores=len(os.sched_getaffinity(0)), memory=psutil.virtual_memory().total)
