"""What a job or a replica is given in place of `secret:NAME`, and what is told where there is nothing to give."""

from __future__ import annotations

import psutil
import pytest
from engine_rig import EngineRig
from waiting import until

from loopwright.secrets.providers import Secrets

pytestmark = pytest.mark.xdist_group("engine-replicas")
VALUE = "hunter2-of-the-engine"
SAY = "import os; print('here:', os.environ['T'], os.environ['P'])"


@pytest.fixture(autouse=True)
def secret(rig: EngineRig) -> None:
    Secrets(rig.state, {}).vault.set("TOKEN", VALUE, "set", "ada", 1.0)


def test_a_job_has_the_value_and_its_log_does_not(rig: EngineRig) -> None:
    job = rig.python(SAY, variables={"T": "secret:TOKEN", "P": "plain"})
    assert rig.ended(job).state == "succeeded"
    assert rig.said(job) == "here: *** plain\n"
    assert VALUE not in "".join(path.read_text() for path in (rig.state.jobs / job).glob("*.json"))


def test_a_job_whose_secret_is_gone_fails_and_says_so(rig: EngineRig) -> None:
    job = rig.python(SAY, variables={"T": "secret:GONE"})
    status = rig.ended(job)
    assert (status.state, status.reason) == ("failed", "start")
    assert "The secret GONE is not set. `loopwright secrets set GONE` sets it." in rig.said(job)


def test_a_replica_has_the_value_and_no_command_line_does(rig: EngineRig) -> None:
    name = rig.serve(
        init="import os; assert os.environ['T'].startswith('hunter2')", variables={"T": "secret:TOKEN"}
    )
    pid = rig.set(name).replicas[0].pid
    processes = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    assert not [word for process in processes for word in process.cmdline() if VALUE in word]
    rig.engine.remove_replicas(name)


def test_a_replica_whose_secret_is_gone_says_so_until_it_is_set(rig: EngineRig) -> None:
    wanted = rig.replica_set(variables={"T": "secret:LATER"})
    rig.engine.set_replicas(wanted)
    until(lambda: "The secret LATER is not set" in rig.set(wanted.name).failing)
    Secrets(rig.state, {}).vault.set("LATER", VALUE, "set", "ada", 1.0)
    rig.ready(wanted.name)
    rig.engine.remove_replicas(wanted.name)
