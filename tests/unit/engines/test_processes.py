"""Real processes, known again and ended; the two process tables agree."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from loopwright.engines.local import portable_process_table, process_table, processes

TREE = "import os, time; os.fork() or os.setsid(); os.fork(); print('up', flush=True); time.sleep(600)"


@pytest.fixture
def tree() -> Iterator[subprocess.Popen[bytes]]:
    """Four processes, two of them in another session, all marked /part."""
    environment = dict(os.environ) | {processes.MARK: "/part"}
    with subprocess.Popen(
        [sys.executable, "-c", TREE], stdout=subprocess.PIPE, env=environment, start_new_session=True
    ) as first:
        assert first.stdout is not None
        for _ in range(4):
            first.stdout.readline()
        yield first
        processes.end(first.pid, "/part")


@pytest.mark.parametrize("table", [process_table, portable_process_table])
def test_a_table_knows_a_process(table: ModuleType) -> None:
    me = os.getpid()
    assert table.started(me) == table.started(me) is not None
    assert table.session(me) == os.getsid(0)
    assert me in table.pids()
    assert me in table.children(os.getppid())
    assert table.resident(me) > 5_000_000
    assert f"PATH={os.environ['PATH']}".encode() in table.environment(me)


@pytest.mark.parametrize("table", [process_table, portable_process_table])
def test_a_table_takes_a_process_that_has_gone_for_gone(table: ModuleType) -> None:
    with subprocess.Popen(["true"]) as child:
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert table.started(child.pid) is None  # ended, but not reaped
    assert table.started(child.pid) is None
    assert (table.children(child.pid), table.resident(child.pid), table.environment(child.pid)) == ([], 0, [])


def test_a_reused_pid_is_another_process() -> None:
    start = processes.started(os.getpid())
    assert start is not None
    assert processes.alive(os.getpid(), start)
    assert not processes.alive(os.getpid(), start + "1")


def test_a_family_is_found_whole_and_ended_whole(tree: subprocess.Popen[bytes]) -> None:
    family = processes.family(tree.pid, "/part")
    assert len(family) == 4
    assert processes.end(tree.pid, "/part")
    tree.wait()
    assert [pid for pid in family if processes.started(pid)] == []


def test_a_family_is_found_after_its_first_process_was_killed(tree: subprocess.Popen[bytes]) -> None:
    tree.send_signal(signal.SIGKILL)
    tree.wait()
    assert len(processes.family(tree.pid, "/part")) == 3
    assert len(processes.marked("/part/..")) == 0


def test_a_reused_pid_is_not_taken_for_the_family(tree: subprocess.Popen[bytes]) -> None:
    assert processes.family(tree.pid, "/other", start="another start") == []


def test_what_is_marked_under_a_folder_is_found(tmp_path: Path) -> None:
    environment = dict(os.environ) | {processes.MARK: f"{tmp_path}/jobs/1"}
    with subprocess.Popen(["sleep", "60"], env=environment) as child:
        try:
            assert processes.marked(str(tmp_path)) == [child.pid]
            assert processes.marked(str(tmp_path)[:-1]) == []
        finally:
            child.kill()


def test_a_process_is_marked_from_the_moment_that_its_start_is_known() -> None:
    environment = dict(os.environ) | {processes.MARK: "/part"}
    for _ in range(50):  # on a busy machine most of these had none yet
        with subprocess.Popen(["sleep", "60"], env=environment) as child:
            found = process_table.environment(child.pid)
            child.kill()
            assert f"{processes.MARK}=/part".encode() in found


def test_shared_memory_is_shared_out_only_beyond_the_limit() -> None:
    script = "import os, time; x = bytearray(50_000_000); os.fork(); print('up', flush=True); time.sleep(600)"
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) as first:
        assert first.stdout is not None
        first.stdout.readline(), first.stdout.readline()
        pids = [first.pid, *processes.descendants(first.pid)]
        assert len(pids) == 2
        assert processes.memory(pids) > 100_000_000 > processes.memory(pids, limit=90_000_000) > 50_000_000
        processes.send(pids, signal.SIGKILL)
