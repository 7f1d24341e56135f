"""The questions of `process_table`, answered by psutil where there is no /proc."""

from __future__ import annotations

import os

import psutil

__all__ = ["children", "environment", "pids", "proportional", "resident", "session", "started"]

_GONE = (psutil.NoSuchProcess, psutil.AccessDenied)


def started(pid: int) -> str | None:
    """When it started, as a word; None where it has ended."""
    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else f"{process.create_time():.2f}"
    except _GONE:
        return None


def session(pid: int) -> int | None:
    """The session it belongs to."""
    try:
        return os.getsid(pid)
    except OSError:
        return None


def pids() -> list[int]:
    """Every process that can be seen."""
    return psutil.pids()


def children(pid: int) -> list[int]:
    """The processes whose parent it is."""
    try:
        return [child.pid for child in psutil.Process(pid).children()]
    except _GONE:
        return []


def environment(pid: int) -> list[bytes]:
    """Its variables as it was started, each `NAME=value`; empty for other users' processes."""
    try:
        return [f"{name}={value}".encode() for name, value in psutil.Process(pid).environ().items()]
    except (*_GONE, OSError):
        return []


def resident(pid: int) -> int:
    """Bytes of memory it holds; pages that it shares with others count in full."""
    try:
        return int(psutil.Process(pid).memory_info().rss)
    except _GONE:
        return 0


def proportional(pid: int) -> int:
    """Bytes of memory it holds; this system tells no better number than `resident`."""
    return resident(pid)
