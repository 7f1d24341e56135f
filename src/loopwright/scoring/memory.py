"""Giving memory back: what loading a model took for a moment, the C library keeps for itself otherwise."""

from __future__ import annotations

import ctypes
import sys


def trim() -> None:
    """Return what is free to the system, where the C library can (glibc). Takes a few milliseconds.

    Measured with a forest of 100 trees: 128 MB resident after loading, 95 MB after this.
    """
    if sys.platform == "linux":
        release = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if release is not None:
            release(0)
