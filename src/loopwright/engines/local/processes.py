"""Processes that outlive whoever started them: known again by pid and start time, found with all that they started,
and ended for certain. The agent and each job's shim use it; it imports nothing that would slow the shim.

A process belongs to a part (a job, a replica, the tracking server) when it descends from the part's first process,
is in its session, or carries the part's folder in the variable MARK. The last finds what cut the first two ties.
"""

from __future__ import annotations

import os
import signal
import sys
import time

if sys.platform == "linux":
    from loopwright.engines.local import process_table as table
else:
    from loopwright.engines.local import portable_process_table as table

__all__ = [
    "MARK",
    "alive",
    "become_subreaper",
    "descendants",
    "die_with_parent",
    "end",
    "family",
    "marked",
    "memory",
    "send",
    "started",
]

MARK = "LOOPWRIGHT_PART"
_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36

started = table.started


def alive(pid: int, start: str) -> bool:
    """Whether this very process still runs, and not another that got its pid."""
    return table.started(pid) == start


def descendants(pid: int) -> list[int]:
    """Its children, theirs, and so on; zombies too."""
    found: list[int] = []
    ahead = [pid]
    while ahead:
        children = table.children(ahead.pop())
        found += children
        ahead += children
    return found


def family(pid: int, mark: str, start: str = "") -> list[int]:
    """Every living process of a part, the first one (`pid`) included if it lives; `start` guards against a reused pid."""
    first = table.started(pid)
    ours = first is None or first == (start or first)
    wanted = f"{MARK}={mark}".encode()
    found = set(descendants(pid)) | {pid} if ours and first else set()
    for other in table.pids():
        if other not in found and (
            (ours and table.session(other) == pid) or wanted in table.environment(other)
        ):
            found.update({other, *descendants(other)})
    return [one for one in found if table.started(one) is not None and one != os.getpid()]


def marked(root: str) -> list[int]:
    """Every living process that belongs to a part whose folder lies under `root`."""
    start = f"{MARK}={root}/".encode()
    return [
        pid
        for pid in table.pids()
        if pid != os.getpid()
        and table.started(pid)
        and any(one.startswith(start) for one in table.environment(pid))
    ]


def memory(pids: list[int], limit: int | None = None) -> int:
    """Bytes held by these processes together.

    Shared pages count once for each process that shares them, which is quick; only where that passes `limit` are they
    shared out, so that a pool of forked workers is not ended for memory it does not use.
    """
    total = sum(map(table.resident, pids))
    return sum(map(table.proportional, pids)) if limit is not None and total > limit else total


def send(pids: list[int], number: signal.Signals) -> None:
    """Signal each of them; one that has gone meanwhile is no error."""
    for pid in pids:
        try:
            os.kill(pid, number)
        except (ProcessLookupError, PermissionError):
            continue


def end(pid: int, mark: str, start: str = "", patience: float = 5.0) -> bool:
    """SIGKILL a whole part; True once none of it is left. Looks again until then: a process may fork while it is killed."""
    deadline = time.monotonic() + patience
    while left := family(pid, mark, start):
        send(left, signal.SIGKILL)
        if time.monotonic() > deadline:
            return False
        time.sleep(0.005)  # a killed process takes a moment to go
    return True


def become_subreaper() -> None:
    """From now on orphaned descendants become this process's children, so that it can find and reap them."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def die_with_parent() -> None:
    """Have the kernel kill this process when its parent dies."""
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _prctl(option: int, value: int) -> None:
    if sys.platform != "linux":
        return
    import ctypes

    ctypes.CDLL(None).prctl(option, value, 0, 0, 0)
