"""A job whose own files are damaged counts as lost, and nothing of it is left running."""

import os
import signal
from pathlib import Path

import pytest
from engine_rig import EngineRig, runs
from waiting import until


@pytest.mark.parametrize("content", [b"", b'{"pid": ', b"[]", b"\xff\x00"])
def test_a_claim_that_cannot_be_read_ends_the_job_as_lost(rig: EngineRig, content: bytes) -> None:
    job = rig.python("import os, time; print(os.getpid(), flush=True); time.sleep(600)")
    rig.running(job)
    pid = int(until(lambda: rig.said(job)))
    os.kill(rig.agent(), signal.SIGKILL)  # the next agent has only the files
    (Path(rig.engine.job_log(job)).parent / "start.json").write_bytes(content)
    ended = rig.ended(job)
    assert (ended.state, ended.reason) == ("failed", "lost")
    assert not runs(pid)


def test_a_result_that_cannot_be_read_counts_as_lost(rig: EngineRig) -> None:
    job = rig.python("pass")
    rig.ended(job)
    os.kill(rig.agent(), signal.SIGKILL)
    (Path(rig.engine.job_log(job)).parent / "exit.json").write_bytes(b"{")
    until(lambda: rig.job(job).reason == "lost")
