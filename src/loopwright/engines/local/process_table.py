"""What the operating system says about one process, from /proc: no import that costs time, since every job's shim pays.

`portable_process_table` answers the same questions where there is no /proc.
"""

from __future__ import annotations

import os
import time

__all__ = ["children", "environment", "pids", "proportional", "resident", "session", "started"]

_PAGE = os.sysconf("SC_PAGE_SIZE")
# Fields of /proc/PID/stat after the command's name.
_STATE, _PARENT, _SESSION, _START, _SIZE, _VARIABLES_END = 0, 1, 3, 19, 20, 48
_EXEC_LOOKS = 100  # a process is between two programs for microseconds, on a busy machine for milliseconds


def _read(path: str) -> bytes:
    """The content, or nothing where the process has gone or is another user's."""
    try:
        with open(path, "rb", buffering=0) as file:  # noqa: PTH123  (pathlib costs the shim 7 ms)
            return file.read()
    except OSError:
        return b""


_BOOT = _read("/proc/sys/kernel/random/boot_id")[:8].decode()


def _stat(pid: int) -> list[bytes]:
    # The name is in parentheses and may itself hold spaces and parentheses: split after the last one.
    return _read(f"/proc/{pid}/stat").rpartition(b")")[2].split()


def started(pid: int) -> str | None:
    """When it started, as a word that no other process with this pid shares; None where it has ended.

    In clock ticks since this boot, so that a step of the wall clock changes nothing.
    """
    fields = _stat(pid)
    if len(fields) <= _START or fields[_STATE] in b"ZX":
        return None
    return f"{_BOOT}.{fields[_START].decode()}"


def session(pid: int) -> int | None:
    """The session it belongs to."""
    fields = _stat(pid)
    return int(fields[_SESSION]) if len(fields) > _SESSION else None


def pids() -> list[int]:
    """Every process that can be seen."""
    return [int(name) for name in os.listdir("/proc") if name.isdecimal()]  # noqa: PTH208


def children(pid: int) -> list[int]:
    """The processes whose parent it is."""
    try:
        threads = os.listdir(f"/proc/{pid}/task")  # noqa: PTH208
    except OSError:
        return []
    lists = [_read(f"/proc/{pid}/task/{thread}/children") for thread in threads]
    return [int(child) for text in lists for child in text.split()]


def environment(pid: int) -> list[bytes]:
    """Its variables as it was started, each `NAME=value`; empty for other users' processes.

    A process that is just changing to another program (exec) has none for a moment, also after who started it was told
    that the start succeeded: it is looked at again.
    """
    for _ in range(_EXEC_LOOKS):
        if entries := _variables(pid):
            return entries
        if not _in_exec(pid):
            break
        time.sleep(0.001)
    return _variables(pid)  # it may have come through between the two questions


def _variables(pid: int) -> list[bytes]:
    return [entry for entry in _read(f"/proc/{pid}/environ").split(b"\0") if entry]


def _in_exec(pid: int) -> bool:
    """Whether it has its new memory, and its arguments and variables are still to be put there."""
    fields = _stat(pid)
    return len(fields) > _VARIABLES_END and fields[_SIZE] != b"0" and fields[_VARIABLES_END] == b"0"


def resident(pid: int) -> int:
    """Bytes of memory it holds; pages that it shares with others count in full."""
    fields = _read(f"/proc/{pid}/statm").split()
    return int(fields[1]) * _PAGE if len(fields) > 1 else 0


def proportional(pid: int) -> int:
    """Bytes of memory it holds, its part of shared pages only. Walks the page tables: not for every look."""
    for line in _read(f"/proc/{pid}/smaps_rollup").splitlines():
        if line.startswith(b"Pss:"):
            return int(line.split()[1]) * 1024
    return resident(pid)
