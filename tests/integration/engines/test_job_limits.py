"""What a shim enforces, and that nothing of a job is left when it has ended."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from engine_rig import EngineRig, runs, variables
from waiting import until

from loopwright.engines.local.variables import PASSED, PASSED_PREFIXES

pytestmark = pytest.mark.xdist_group("engine-jobs")

SLEEP = "import time; time.sleep(600)"
CHILD = f"import subprocess, sys; print(subprocess.Popen([sys.executable, '-c', '{SLEEP}'], start_new_session=True).pid)"


def test_a_job_past_its_time_is_ended_and_says_so(rig: EngineRig) -> None:
    status = rig.ended(job := rig.python(SLEEP, max_duration=0.3))
    assert (status.state, status.reason) == ("failed", "max_duration")
    assert "longer than its 0.3 s" in rig.said(job)


def test_a_job_that_ignores_sigterm_is_killed(rig: EngineRig) -> None:
    script = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf'); {SLEEP}"
    job = rig.python(script)
    until(lambda: "deaf" in rig.said(job))
    rig.engine.cancel(job)
    status = rig.ended(job)
    assert (status.reason, status.exit_code) == ("cancelled", -signal.SIGKILL)


def test_memory_of_all_processes_of_a_job_counts_together(rig: EngineRig) -> None:
    eat = "x = bytearray(60_000_000); import time; time.sleep(600)"
    script = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', '{eat}']); {eat}"
    status = rig.ended(rig.python(script, memory=100_000_000))
    assert status.reason == "memory"
    assert status.peak_memory is not None
    assert status.peak_memory > 100_000_000


def test_memory_shared_by_forked_workers_counts_once(rig: EngineRig) -> None:
    script = "import os, time; x = bytearray(60_000_000); [os.fork() for _ in range(2)]; time.sleep(1)"
    assert rig.ended(rig.python(script, memory=150_000_000)).state == "succeeded"


def test_peak_memory_is_known_of_a_job_too_short_to_be_looked_at(rig: EngineRig) -> None:
    peak = rig.ended(rig.python("x = bytearray(80_000_000)")).peak_memory
    assert peak is not None
    assert peak > 80_000_000


@pytest.mark.parametrize("ending", ["", "; sys.exit(1)"])
def test_children_left_in_the_background_are_ended(rig: EngineRig, ending: str) -> None:
    rig.ended(job := rig.python(CHILD + ending))
    assert not runs(int(rig.said(job)))


def test_children_of_a_cancelled_job_are_ended(rig: EngineRig) -> None:
    job = rig.python(f"{CHILD}; {SLEEP}")
    child = until(lambda: rig.said(job))
    rig.engine.cancel(job)
    assert rig.ended(job).reason == "cancelled"
    assert not runs(int(child))


def test_a_killed_shim_takes_its_job_with_it(rig: EngineRig) -> None:
    job = rig.python(f"{CHILD}; {SLEEP}")
    child = int(until(lambda: rig.said(job)))
    os.kill(rig.running(job).pid or 0, signal.SIGKILL)
    assert rig.ended(job).reason == "lost"
    assert not runs(child)
    assert not [one for one in rig.processes() if SLEEP in one.cmdline()]


def test_a_command_dies_with_its_shim_also_while_no_agent_lives(tmp_path: Path) -> None:
    known = {
        "command": [sys.executable, "-c", f"print('up', flush=True); {SLEEP}"],
        "directory": str(tmp_path),
    }
    job = known | {"working_directory": "", "variables": {}, "max_duration": None, "memory": None}
    (tmp_path / "job.json").write_text(json.dumps(job))
    module = "loopwright.engines.local.job_shim"
    with subprocess.Popen(
        [sys.executable, "-m", module, str(tmp_path), "no-bell"], start_new_session=True
    ) as shim:
        until(lambda: (tmp_path / "log.txt").exists() and "up" in (tmp_path / "log.txt").read_text())
        (command,) = psutil.Process(shim.pid).children()
        shim.kill()
    until(lambda: not runs(command.pid))


def test_a_job_ended_by_the_machines_shutdown_is_lost_and_not_cancelled(rig: EngineRig) -> None:
    job = rig.python(SLEEP)
    os.kill(rig.running(job).pid or 0, signal.SIGTERM)
    assert rig.ended(job).reason == "lost"


def test_only_named_variables_and_its_own_reach_a_job(rig: EngineRig) -> None:
    job = rig.python(
        "import json, os; print(json.dumps(dict(os.environ)))", variables={"MINE": "1", "PATH": os.defpath}
    )
    rig.ended(job)
    seen = variables(rig, job)
    assert (seen["MINE"], seen["PATH"], seen["HOME"]) == ("1", os.defpath, os.environ["HOME"])
    ours = {"MINE", "LOOPWRIGHT_PART", "PYTHONUNBUFFERED", "LC_CTYPE"}
    assert not [name for name in seen if name not in PASSED | ours and not name.startswith(PASSED_PREFIXES)]


def test_a_job_that_is_killed_says_by_which_signal(rig: EngineRig) -> None:
    status = rig.ended(rig.python("import os; os.kill(os.getpid(), 9)"))
    assert (status.reason, status.exit_code) == ("signal", -9)


def test_a_jobs_working_directory_is_its_folder_or_the_one_it_names(rig: EngineRig) -> None:
    own, other = rig.submit("pwd"), rig.submit("pwd", working_directory=sys.prefix)
    assert rig.ended(own).state == rig.ended(other).state == "succeeded"
    assert (rig.said(own), rig.said(other)) == (f"{rig.state.jobs / own}\n", f"{sys.prefix}\n")


def test_output_is_kept_while_the_job_runs(rig: EngineRig) -> None:
    job = rig.python(f"print('begun'); {SLEEP}")
    until(lambda: rig.said(job) == "begun\n")
    rig.engine.cancel(job)
    assert json.loads((rig.state.jobs / job / "job.json").read_text())["id"] == job
