"""The files by which a job's shim and the agent settle who did what, each made once and whole.

    job.json     the agent, before it starts a shim: the engine's Job
    start.json   whoever claims the job first: its shim, before it runs the command, or the agent, to say that it never will
    exit.json    how it ended: its shim, or the agent where the shim is dead
    log.txt      all output of the command, bounded

Made once: the second to try is told so and leaves the file as it is. That is why a job cannot run twice, whatever
dies in between. Standard library only, since the shim imports it.
"""

from __future__ import annotations

import json
import os
from typing import Any

__all__ = ["EXIT", "JOB", "LOG", "START", "Record", "create_once", "read"]

Record = dict[str, Any]
JOB, START, EXIT, LOG = "job.json", "start.json", "exit.json", "log.txt"


def create_once(folder: str, name: str, record: Record) -> bool:
    """Make the file, durably and whole; False where it was there already. Raises OSError where the disk refuses."""
    temporary = f"{folder}/.{name}.{os.getpid()}"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        try:
            os.write(descriptor, json.dumps(record).encode())
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        os.link(temporary, f"{folder}/{name}")  # fails where the name exists, which a rename does not
    except FileExistsError:
        return False
    finally:
        os.unlink(temporary)  # noqa: PTH108
    _sync(folder)
    return True


def read(folder: str, name: str) -> Record | None:
    """The record, or None where it has not been made. Raises ValueError where it is not what was written."""
    try:
        with open(f"{folder}/{name}", "rb") as file:  # noqa: PTH123
            record = json.load(file)
    except FileNotFoundError:
        return None
    if not isinstance(record, dict):
        raise ValueError(f"{folder}/{name} holds no JSON object")
    return record


def _sync(folder: str) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
