"""Several nodes of one training on this machine: what each is told, and that they begin and end together."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from loopwright.training import on_nodes
from loopwright.training.launcher import rank_variables

TELL = "import json, os; print(json.dumps(dict(os.environ)))"
FAIL = "import os, subprocess, sys, time; subprocess.Popen(['sleep', '300']) if os.environ['RANK'] != '1' else sys.exit(3); time.sleep(300)"


def launch(folder: Path, nodes: int, *words: str, gpus: int = 0) -> subprocess.Popen[str]:
    command = on_nodes((sys.executable, *words), nodes, gpus, "toy-1", folder / "ranks")
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=folder, start_new_session=True)


def living(session: int) -> list[psutil.Process]:
    """What still runs of a launcher's session."""
    found = [one for one in psutil.process_iter() if one.pid != session]
    return [one for one in found if _session(one) == session and one.status() != psutil.STATUS_ZOMBIE]


def _session(process: psutil.Process) -> int:
    try:
        return os.getsid(process.pid)
    except ProcessLookupError:
        return -1


def test_each_rank_is_told_its_place_and_has_a_log_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "selectors.py").write_text("1 / 0")  # a module of the user's that has a name of ours
    done = launch(tmp_path, 3, "-P", "-c", TELL, gpus=2)
    said = done.communicate(timeout=60)[0].splitlines()
    assert done.returncode == 0
    told = {line[:3]: json.loads(line[4:]) for line in said}
    assert sorted(told) == ["[0]", "[1]", "[2]"]
    assert {one["MASTER_PORT"] for one in told.values()} == {told["[0]"]["MASTER_PORT"]}
    assert [told[f"[{rank}]"]["CUDA_VISIBLE_DEVICES"] for rank in range(3)] == ["0,1", "2,3", "4,5"]
    for rank in range(3):
        assert json.loads((tmp_path / "ranks" / f"{rank}.log").read_text())["RANK"] == str(rank)


def test_a_rank_stands_for_a_node_of_one_process() -> None:
    told = rank_variables(1, 2, 29500, "toy-1")
    assert (told["WORLD_SIZE"], told["LOCAL_RANK"], told["LOCAL_WORLD_SIZE"]) == ("2", "0", "1")
    assert told["NODE_RANK"] == told["GROUP_RANK"] == told["RANK"] == "1"
    assert "CUDA_VISIBLE_DEVICES" not in told


def test_one_that_fails_ends_all_with_what_they_started(tmp_path: Path) -> None:
    done = launch(tmp_path, 3, "-c", FAIL)
    said = done.communicate(timeout=60)[0]
    assert done.returncode == 3
    assert "Rank 1 ended with exit status 3; the others are ended with it." in said
    assert living(done.pid) == []


@pytest.mark.parametrize("stubborn", [False, True])
def test_a_launcher_that_is_told_to_end_leaves_nothing(tmp_path: Path, stubborn: bool) -> None:
    deaf = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN);" if stubborn else ""
    done = launch(tmp_path, 2, "-c", f"{deaf}import time; print('up', flush=True); time.sleep(300)")
    assert done.stdout is not None
    assert {done.stdout.readline(), done.stdout.readline()} == {"[0] up\n", "[1] up\n"}
    began = time.monotonic()
    done.send_signal(signal.SIGTERM)
    done.communicate(timeout=60)
    assert done.returncode == 128 + (signal.SIGKILL if stubborn else signal.SIGTERM)
    assert living(done.pid) == []
    assert stubborn or time.monotonic() - began < 4


def test_a_command_that_is_not_there_is_named(tmp_path: Path) -> None:
    command = on_nodes(("nonsense-that-is-nowhere",), 2, 0, "toy-1", tmp_path / "ranks")
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("nonsense-that-is-nowhere cannot be started")


def test_all_that_fail_at_once_have_failed(tmp_path: Path) -> None:
    done = launch(tmp_path, 2, "-c", "raise SystemExit(5)")
    done.communicate(timeout=60)
    assert done.returncode == 5
