"""What every engine does. A new engine is added to ENGINES; its rig has the methods of EngineRig that are used here."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from engine_rig import EngineRig
from waiting import until

from loopwright.engines.base import Job
from loopwright.errors import ConflictError

pytestmark = pytest.mark.xdist_group("conformance")

ENGINES: dict[str, Callable[[Path], EngineRig]] = {"local": EngineRig}
SLEEP = "import time; time.sleep(600)"


@pytest.fixture(scope="module", params=ENGINES)
def rig(request: pytest.FixtureRequest) -> Iterator[EngineRig]:
    with tempfile.TemporaryDirectory(prefix="lw-") as folder:
        rig = ENGINES[request.param](Path(folder))
        yield rig
        rig.stop()


def test_a_job_runs_to_its_end_and_its_output_is_kept(rig: EngineRig) -> None:
    status = rig.ended(job := rig.python("import sys; print('out'); print('err', file=sys.stderr)"))
    assert (status.state, status.exit_code, status.reason) == ("succeeded", 0, "")
    assert rig.said(job) == "out\nerr\n"
    assert status.started_at is not None
    assert status.ended_at is not None
    assert status.started_at <= status.ended_at


def test_a_job_that_exits_otherwise_has_failed(rig: EngineRig) -> None:
    status = rig.ended(rig.python("import sys; sys.exit(3)"))
    assert (status.state, status.exit_code, status.reason) == ("failed", 3, "exit")


def test_a_job_whose_command_does_not_exist_has_failed_to_start(rig: EngineRig) -> None:
    status = rig.ended(job := rig.submit("no-such-command"))
    assert (status.state, status.reason) == ("failed", "start")
    assert "no-such-command cannot be started" in rig.said(job)


def test_a_job_past_its_time_is_ended(rig: EngineRig) -> None:
    assert rig.ended(rig.python(SLEEP, max_duration=0.3)).reason == "max_duration"


def test_a_job_past_its_memory_is_ended(rig: EngineRig) -> None:
    assert (
        rig.ended(rig.python(f"x = bytearray(200_000_000); {SLEEP}", memory=100_000_000)).reason == "memory"
    )


def test_a_running_job_can_be_cancelled(rig: EngineRig) -> None:
    rig.running(job := rig.python(SLEEP))
    rig.engine.cancel(job)
    assert (rig.ended(job).state, rig.ended(job).reason) == ("failed", "cancelled")


def test_a_job_is_reported_from_the_moment_it_is_submitted(rig: EngineRig) -> None:
    job = rig.python("pass")
    assert rig.job(job).state in ("pending", "running", "succeeded")


def test_a_job_submitted_twice_runs_once(rig: EngineRig) -> None:
    rig.ended(job := rig.python("print('once')"))
    again = Job(id=job, workload="w", step="s", command=("false",), directory=str(rig.state.jobs / job))
    rig.engine.submit(again)
    assert (rig.job(job).state, rig.said(job)) == ("succeeded", "once\n")


def test_an_ended_job_forgotten_and_submitted_again_does_not_run_again(rig: EngineRig) -> None:
    rig.ended(job := rig.python("print('once')"))
    rig.engine.forget(job)
    assert job not in rig.engine.report().jobs
    rig.engine.submit(
        Job(id=job, workload="w", step="s", command=("false",), directory=str(rig.state.jobs / job))
    )
    assert rig.ended(job).state == "succeeded"
    assert rig.said(job) == "once\n"


def test_a_running_job_is_not_forgotten(rig: EngineRig) -> None:
    rig.running(job := rig.python(SLEEP))
    with pytest.raises(ConflictError, match=r"cancel it first"):
        rig.engine.forget(job)
    rig.engine.cancel(job)


def test_what_is_not_known_can_be_dropped_without_error(rig: EngineRig) -> None:
    rig.engine.cancel("nothing")
    rig.engine.forget("nothing")
    rig.engine.remove_replicas("nothing")
    assert rig.engine.probe("nothing", b"1", 1.0) == []


def test_replicas_come_up_answer_and_go(rig: EngineRig) -> None:
    name = rig.serve(minimum=2, maximum=2)
    assert rig.engine.probe(name, b"[7]", 5.0) == [(200, b'{"got":[7]}')] * 2
    rig.engine.remove_replicas(name)
    until(lambda: name not in rig.engine.report().replica_sets)


def test_a_set_that_is_wanted_is_reported_at_once(rig: EngineRig) -> None:
    wanted = rig.replica_set()
    rig.engine.set_replicas(wanted)
    assert (rig.set(wanted.name).ready, rig.set(wanted.name).failing) == (0, "")
    rig.engine.remove_replicas(wanted.name)


def test_a_set_whose_replicas_do_not_come_up_says_why(rig: EngineRig) -> None:
    wanted = rig.replica_set(init="raise ValueError('no model')")
    rig.engine.set_replicas(wanted)
    failing = until(lambda: rig.set(wanted.name).failing)
    assert "init failed: ValueError: no model" in failing
    assert "score.py:2" in failing
    rig.engine.remove_replicas(wanted.name)


def test_a_changed_number_of_replicas_is_followed(rig: EngineRig) -> None:
    wanted = rig.replica_set()
    rig.engine.set_replicas(wanted)
    first = rig.ready(wanted.name, 1).replicas[0].id
    rig.engine.set_replicas(
        type(wanted)(
            **{name: getattr(wanted, name) for name in wanted.__struct_fields__}
            | {"minimum": 2, "maximum": 2}
        )
    )
    assert first in [replica.id for replica in rig.ready(wanted.name, 2).replicas]
    rig.engine.remove_replicas(wanted.name)


def test_a_set_that_may_have_none_goes_to_zero_and_comes_back_for_the_first_request(rig: EngineRig) -> None:
    name = rig.serve(minimum=0, scale_to_zero_after=1.0)
    url = rig.route(name, timeout=60.0)
    until(lambda: (rig.set(name).wanted, rig.set(name).replicas) == (0, ()))
    answers = [httpx.post(url, json=[number], timeout=30) for number in range(3)]
    assert [answer.status_code for answer in answers] == [200] * 3
    assert [answer.json() for answer in answers] == [{"got": [0]}, {"got": [1]}, {"got": [2]}]
    rig.engine.set_routes(())
    rig.engine.remove_replicas(name)
    until(lambda: name not in rig.engine.report().replica_sets)


def test_requests_for_a_set_at_zero_whose_replicas_do_not_come_up_are_refused(rig: EngineRig) -> None:
    flag = rig.folder / "starts"
    flag.touch()
    name = rig.serve(minimum=0, scale_to_zero_after=0.5, init=f"open({str(flag)!r}).close()")
    url = rig.route(name, timeout=60.0)
    until(lambda: rig.set(name).replicas == ())
    flag.unlink()
    answer = httpx.post(url, json=[1], timeout=30)
    assert (answer.status_code, "retry-after" in answer.headers) == (503, True)
    rig.engine.set_routes(())
    rig.engine.remove_replicas(name)


def test_a_route_leads_clients_to_the_replicas(rig: EngineRig) -> None:
    url = rig.route(rig.serve(), keys={"ada": "secret"})
    assert httpx.post(url, json=[1]).status_code == 401
    answer = httpx.post(url, json=[1], headers={"authorization": "Bearer secret"})
    assert (answer.status_code, answer.json()) == (200, {"got": [1]})


def test_a_route_switched_under_load_fails_no_request(rig: EngineRig) -> None:
    old, new = rig.serve(minimum=2, maximum=2), rig.serve(run="data = '[2]'")
    url, told = rig.route(old), []
    with httpx.Client() as client:
        for round_ in range(200):
            told.append(client.post(url, json=[1]))
            if round_ == 50:
                rig.route(new)
            if round_ == 100:
                rig.engine.remove_replicas(old)
    assert {answer.status_code for answer in told} == {200}
    assert (told[0].json(), told[-1].json()) == ({"got": [1]}, {"got": [2]})
    until(lambda: old not in rig.engine.report().replica_sets)


def test_the_digest_of_routes_is_known_before_they_are_wanted(rig: EngineRig) -> None:
    assert rig.engine.set_routes(()) == rig.engine.routes_digest(())


def test_a_ring_ends_a_wait(rig: EngineRig) -> None:
    import threading
    import time

    threading.Timer(0.05, rig.engine.ring).start()
    begun = time.monotonic()
    rig.engine.wait(30.0)
    assert time.monotonic() - begun < 10
