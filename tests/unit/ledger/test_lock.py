"""One control plane per state."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from loopwright.errors import ConflictError, MachineError
from loopwright.ledger import Lock


def test_a_second_holder_is_refused_and_told_who_holds_it(tmp_path: Path) -> None:
    with (
        Lock(tmp_path / "state" / "control.lock"),
        pytest.raises(ConflictError, match=f"pid {os.getpid()}"),
    ):
        Lock(tmp_path / "state" / "control.lock").acquire()


def test_a_released_lock_can_be_taken_again(tmp_path: Path) -> None:
    lock = Lock(tmp_path / "control.lock")
    lock.acquire()
    lock.release()
    lock.release()
    with Lock(tmp_path / "control.lock"):
        assert (tmp_path / "control.lock").read_text() == f"{os.getpid()}\n"


def test_a_killed_holder_lets_go(tmp_path: Path) -> None:
    path = tmp_path / "control.lock"
    script = "import sys, pathlib; from loopwright.ledger import Lock; k = Lock(pathlib.Path(sys.argv[1])); k.acquire(); print(1, flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", script, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"1\n"
        with pytest.raises(ConflictError, match=f"pid {holder.pid}"):
            Lock(path).acquire()
        holder.kill()
        holder.wait()
    with Lock(path):
        assert path.exists()


def test_a_lock_that_cannot_be_made_is_explained() -> None:
    with pytest.raises(MachineError, match="/proc/no-folder"):
        Lock(Path("/proc/no-folder/control.lock")).acquire()
