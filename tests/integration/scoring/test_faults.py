"""User code that hangs, dies, does not come up or is asked too much; and a front that is killed or told to stop."""

from __future__ import annotations

import collections
import json
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import pytest

_ECHO_PID = (
    "import json, os, time\ndef run(data):\n    time.sleep(json.loads(data))\n    return os.getpid()\n"
)


def _eventually(holds: Any) -> None:
    deadline = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.01)


def _together(replica: Any, bodies: list[Any]) -> list[Any]:
    with ThreadPoolExecutor(len(bodies)) as pool:
        return list(pool.map(replica.score, bodies))


@pytest.mark.parametrize("do", ["exit", "kill"])
def test_a_worker_that_dies_costs_its_own_request_alone(patient: Any, do: str) -> None:
    restarts = patient.metric("loopwright_worker_restarts_total{")
    dying, *others = _together(patient, [{"do": do}, *[{}] * 5])
    assert dying.status == 500
    assert [other.status for other in others] == [200] * 5
    assert any(event["id"] == dying.error["id"] for event in patient.events("score-failed"))
    assert patient.metric("loopwright_worker_restarts_total{") == restarts + 1


def test_a_late_answer_is_504_on_time_and_its_worker_replaced(plain: Any) -> None:
    before = plain.score({}).json["pid"]
    answer = plain.score({"do": "sleep", "seconds": 60})
    assert (answer.status, answer.error["code"]) == (504, "late")
    assert 0.9 < answer.seconds < 3
    assert plain.ask("GET", "/healthz").status == 200
    assert plain.score({}).json["pid"] != before
    assert not psutil.pid_exists(before)


def test_who_lined_up_behind_a_hanging_request_is_answered_by_the_replacement(start: Any) -> None:
    replica = start(_ECHO_PID, limits={"timeout": 1.5})
    with ThreadPoolExecutor(1) as pool:
        hanging = pool.submit(replica.score, 60)
        _eventually(lambda: replica.ask("GET", "/stats").json["in_flight"] == 1)
        time.sleep(0.8)  # later, so that its own time is not over when the worker's is
        assert replica.score(0).status == 200
        assert hanging.result().status == 504


def test_overload_is_exactly_bounded(start: Any) -> None:
    replica = start(
        _ECHO_PID, thread_safe=True, limits={"concurrency": 2, "queue": 2, "queue_wait": 9, "timeout": 9}
    )
    answers = _together(replica, [1] * 12)
    counts = collections.Counter(answer.status for answer in answers)
    assert counts == {200: 4, 503: 8}
    refused = [answer for answer in answers if answer.status == 503]
    assert all(int(answer.headers["retry-after"]) >= 1 and answer.seconds < 1 for answer in refused)
    assert {answer.error["code"] for answer in refused} == {"queue-full"}
    assert replica.ask("GET", "/stats").json["queued"] == 0


def test_bodies_that_would_not_fit_beside_others_are_refused_until_they_do(start: Any) -> None:
    script = """
        import os, pathlib, time
        def run(data):
            while "wait" in data and not (pathlib.Path(os.environ["MODEL_DIR"]) / "go").exists(): time.sleep(0.01)
            return len(data)
    """
    limits = {"max_body": 100_000, "bodies": 150_000, "timeout": 60.0}
    replica = start(script, workers=2, limits=limits)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(replica.score, "wait" + "x" * 90_000)
        _eventually(lambda: replica.metric("loopwright_held_bytes{") > 90_000)
        for path in ("/score", "/feedback"):
            refused = replica.ask("POST", path, "x" * 90_000)
            assert (refused.status, refused.error["code"]) == (503, "too-many-bytes")
            assert int(refused.headers["retry-after"]) > 0
        assert replica.score({}).status == 200  # what is small fits
        (replica.folder / "package/model/go").touch()
        assert first.result().status == 200
    _eventually(lambda: replica.metric("loopwright_held_bytes{") == 0)
    assert replica.score("x" * 90_000).status == 200


def test_what_had_not_begun_in_time_is_never_run(start: Any) -> None:
    script = "import json, time\ndef run(data):\n    print('ran', data, flush=True)\n    time.sleep(json.loads(data))\n"
    replica = start(script, limits={"concurrency": 3, "queue": 4, "queue_wait": 0.3, "timeout": 1.2})
    with ThreadPoolExecutor(3) as pool:
        asked = []
        for in_flight, seconds in enumerate(
            (0.8, 0.7, 0.5), start=1
        ):  # the second is late, the third not even begun
            asked.append(pool.submit(replica.score, seconds))
            _eventually(lambda want=in_flight: replica.ask("GET", "/stats").json["in_flight"] == want)
        queued = replica.score(0.1)
        assert (queued.status, queued.error["code"]) == (503, "waited-too-long")
        assert 0.2 < queued.seconds < 1
        assert [answer.result().status for answer in asked] == [200, 504, 504]
    assert replica.score(0.01).status == 200
    assert [line for line in replica.log().splitlines() if line.startswith("ran")] == [
        "ran 0.8",
        "ran 0.7",
        "ran 0.01",
    ]


def test_what_a_dead_worker_had_not_begun_is_done_by_the_next(start: Any) -> None:
    replica = start(_ECHO_PID)
    (worker,) = replica.workers()
    worker.suspend()
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(replica.score, 0)
        _eventually(lambda: replica.ask("GET", "/stats").json["in_flight"] == 1)
        worker.kill()
        assert asked.result().status == 200


@pytest.mark.parametrize(("idempotent", "status"), [(True, 200), (False, 500)])
def test_what_a_killed_worker_was_at_is_begun_again_where_it_may_be(
    start: Any, idempotent: bool, status: int
) -> None:
    script = "import json, time\ndef run(data):\n    print('began', flush=True)\n    time.sleep(json.loads(data))\n    return 1\n"
    replica = start(script, idempotent=idempotent)
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(replica.score, 1.0)
        _eventually(lambda: "began" in replica.log())
        replica.workers()[0].kill()
        assert asked.result().status == status


def test_what_a_killed_worker_had_started_ends_with_it(plain: Any) -> None:
    assert plain.score({"do": "spawn"}).status == 504
    (line,) = [line for line in plain.log().splitlines() if line.startswith("spawned ")]
    _eventually(lambda: not psutil.pid_exists(int(line.split()[1])))


def test_thread_safe_scripts_run_at_once(start: Any) -> None:
    replica = start(_ECHO_PID, thread_safe=True, limits={"concurrency": 4})
    began = time.monotonic()
    answers = _together(replica, [0.6] * 4)
    assert [answer.status for answer in answers] == [200] * 4
    assert time.monotonic() - began < 2.2
    assert len({answer.json for answer in answers}) == 1


def test_leaving_from_a_thread_is_noticed(start: Any) -> None:
    replica = start("import sys\ndef run(data):\n    sys.exit(4)\n", thread_safe=True)
    assert replica.score({}).status == 500
    assert any("exited with status 4" in event["error"] for event in replica.events("score-failed"))


def test_two_workers_share_the_work(start: Any) -> None:
    replica = start(_ECHO_PID, workers=2)
    assert len({answer.json for answer in _together(replica, [0.3] * 4)}) == 2
    with ThreadPoolExecutor(1) as pool:
        long = pool.submit(replica.score, 2)
        _eventually(lambda: replica.ask("GET", "/stats").json["in_flight"] == 1)
        quick = _together(replica, [0.2] * 3)  # one of them may have been sent to the one that is busy
        assert {answer.json for answer in quick}.isdisjoint({long.result().json})
    replica.workers()[0].kill()
    assert [answer.status for answer in _together(replica, [0] * 4)].count(
        200
    ) >= 3  # one may have been in its hands


def test_async_scripts(start: Any) -> None:
    script = "import asyncio\nasync def init():\n    global text\n    text = 'up'\nasync def run(data):\n    await asyncio.sleep(0)\n    return text\n"
    assert start(script).score({}).json == "up"


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        (
            "def init():\n    raise OSError('no model here')\ndef run(data): ...\n",
            "init failed: OSError: no model here (score.py:2)",
        ),
        (
            "import nothing_of_this_name\n",
            "init failed: ModuleNotFoundError: No module named 'nothing_of_this_name' (score.py:1)",
        ),
        ("import os\nos._exit(9)\n", "init failed: the worker exited with status 9 during init()"),
    ],
)
def test_a_script_that_does_not_come_up_ends_the_replica(start: Any, script: str, reason: str) -> None:
    replica = start(script, ready=False)
    seen: set[str] = set()
    while replica.process.poll() is None:
        try:
            answer = replica.ask("GET", "/readyz")
        except OSError:
            continue
        assert answer.status == 503
        seen.add(answer.json["message"])
    assert replica.process.returncode == 3
    assert reason in seen
    assert f"\n{reason}\n" in replica.log()


_NEEDS = """
    import os, pathlib{imports}
    {decorator}
    def run({parameters}):
        if not (pathlib.Path(os.environ["MODEL_DIR"]) / "database").exists():
            raise ConnectionError("no database")
        return 1
"""


def _with_example(package: Path) -> None:
    (package / "signature.json").write_text('{"example": {"request": {"n": 1}, "response": 1}}')


def test_a_script_that_cannot_answer_its_example_is_not_ready_until_it_can(start: Any) -> None:
    script = _NEEDS.format(imports="", decorator="", parameters="data")
    replica = start(script, ready=False, prepare=_with_example)
    reason = "ConnectionError: no database (score.py:6)"

    def told() -> bool:
        try:
            return bool(replica.ask("GET", "/readyz").json["message"] == f"warm-up failed: {reason}")
        except OSError:
            return False

    _eventually(told)
    assert replica.ask("GET", "/healthz").status == 200
    refused = replica.score({"n": 1})
    assert (refused.status, refused.error["code"]) == (503, "not-ready")
    assert reason in refused.error["message"]
    [pid] = [worker.pid for worker in replica.workers()]
    (replica.folder / "package/model/database").touch()
    replica.wait_ready()
    assert replica.ask("GET", "/readyz").json["message"] == ""
    assert [worker.pid for worker in replica.workers()] == [pid]  # init() was not called again
    assert [event["error"] for event in replica.events("warm-up-failed")] == [reason]
    assert replica.score({"n": 1}).json == 1


@pytest.mark.parametrize(
    ("imports", "decorator", "parameters"),
    [
        ("\n    from azureml.contrib.services.aml_request import rawhttp", "@rawhttp", "request"),
        ("", "", "data, request_headers"),
    ],
)
def test_a_script_that_takes_whole_requests_need_not_understand_the_example(
    start: Any, imports: str, decorator: str, parameters: str
) -> None:
    script = _NEEDS.format(imports=imports, decorator=decorator, parameters=parameters)
    inputs = [{"name": "n", "type": "integer"}]
    replica = start(script, prepare=_with_example, inputs=inputs)
    assert "the package's example could not be scored: ConnectionError: no database" in replica.log()
    assert replica.score({"n": 1}).status == 500


def test_a_script_that_does_not_come_up_again_stays_unready(start: Any) -> None:
    script = """
        import os, pathlib
        mark = pathlib.Path(os.environ["MODEL_DIR"]) / "came-up"
        def init():
            if mark.exists(): raise OSError("no second time")
            mark.touch()
        def run(data): os._exit(1)
    """
    replica = start(script, idempotent=False)
    assert replica.score({}).status == 500
    _eventually(lambda: "no second time" in replica.ask("GET", "/readyz").json["message"])
    assert replica.ask("GET", "/readyz").status == 503
    assert replica.ask("GET", "/healthz").status == 200
    (replica.folder / "package" / "model" / "came-up").unlink()
    replica.wait_ready()


def test_sigkill_of_the_front_leaves_no_worker(start: Any) -> None:
    replica = start(_ECHO_PID, workers=2)
    workers = replica.workers()
    assert len(workers) == 2
    with ThreadPoolExecutor(1) as pool:
        busy = pool.submit(replica.score, 60)
        _eventually(lambda: replica.ask("GET", "/stats").json["in_flight"] == 1)
        replica.process.kill()
        assert busy.exception() is not None
    _, alive = psutil.wait_procs(workers, timeout=5)
    assert alive == []


def test_a_stale_socket_is_replaced_and_a_file_is_not(start: Any, tmp_path: Path) -> None:
    replica = start(_ECHO_PID)
    replica.process.kill()
    replica.process.wait()
    assert replica.socket.exists()
    command = [
        sys.executable,
        "-m",
        "loopwright.scoring",
        "--settings",
        str(replica.folder / "serving.json"),
        "--socket",
    ]
    replica.process = subprocess.Popen([*command, str(replica.socket)])
    replica.wait_ready()
    (tmp_path / "file").touch()
    refused = subprocess.run([*command, str(tmp_path / "file")], capture_output=True, text=True, check=False)
    assert refused.returncode == 1
    assert (tmp_path / "file").exists()
    assert refused.stderr.splitlines()[-1].endswith(
        "is a file and not a socket; remove it, or name another with --socket."
    )


def test_wrong_settings_are_one_sentence(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "loopwright.scoring",
        "--settings",
        str(tmp_path / "none.json"),
        "--socket",
        str(tmp_path / "s"),
    ]
    refused = subprocess.run(command, capture_output=True, text=True, check=False)
    assert refused.returncode == 2
    assert refused.stderr.count("\n") == 1


def test_a_stop_answers_what_was_taken(start: Any) -> None:
    replica = start(_ECHO_PID, limits={"concurrency": 2, "queue": 20, "queue_wait": 9, "timeout": 9})
    idle = replica.connect()
    idle.request("GET", "/healthz")
    assert idle.getresponse().read()
    with ThreadPoolExecutor(10) as pool:
        asked = [pool.submit(replica.score, 0.1) for _ in range(10)]
        _eventually(
            lambda: sum(replica.ask("GET", "/stats").json[key] for key in ("in_flight", "queued")) == 10
        )
        for process in (*replica.workers(), replica.process):  # as a signal to the process group would
            process.terminate()
        _eventually(lambda: replica.events("draining"))
        ready = replica.ask("GET", "/readyz")
        assert (ready.status, ready.headers["connection"]) == (503, "close")
        assert "draining" in ready.json["message"]
        assert [answer.result().status for answer in asked] == [200] * 10
    assert replica.process.wait(10) == 0
    assert idle.sock.recv(1) == b""  # closed cleanly, not reset
    idle.close()
    assert not replica.socket.exists()


def test_a_stop_under_load_fails_no_request(start: Any) -> None:
    replica = start(_ECHO_PID, limits={"concurrency": 4, "queue": 50}, grace_period=2)
    outcomes: collections.Counter[Any] = collections.Counter()

    def load() -> None:
        while True:
            connection = replica.connect()
            try:
                connection.connect()
            except OSError:
                connection.close()
                return  # nobody there any more: not taken, so nothing lost
            connection.request("POST", "/score", b"0.005")
            outcomes[connection.getresponse().status] += 1
            connection.close()

    threads = [threading.Thread(target=load) for _ in range(6)]
    for thread in threads:
        thread.start()
    _eventually(lambda: outcomes[200] > 20)
    began = time.monotonic()
    replica.process.terminate()
    for thread in threads:
        thread.join()
    assert replica.process.wait(10) == 0
    assert time.monotonic() - began < 3.5
    assert set(outcomes) == {200}
    completed = [event["completed"] for event in replica.events("stopped")]
    assert completed == [outcomes[200]]


def test_a_stop_does_not_wait_for_ever(start: Any) -> None:
    replica = start(_ECHO_PID, limits={"timeout": 60}, grace_period=1)
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(replica.score, 50)
        _eventually(lambda: replica.ask("GET", "/stats").json["in_flight"] == 1)
        began = time.monotonic()
        replica.process.terminate()
        assert (asked.result().status, asked.result().error["code"]) == (503, "draining")
    assert replica.process.wait(5) == 0
    assert time.monotonic() - began < 4
    assert json.loads(replica.log().splitlines()[-1])["action"] == "stopped"


def test_a_late_answer_costs_no_other_of_the_same_worker(start: Any) -> None:
    script = """
        import json, time
        def run(data):
            time.sleep(json.loads(data)["seconds"])
            return "answered"
    """
    replica = start(script, thread_safe=True, limits={"concurrency": 2, "timeout": 4.0})
    with ThreadPoolExecutor(2) as pool:
        late = pool.submit(replica.score, {"seconds": 60})
        _eventually(lambda: replica.ask("GET", "/stats").json["in_flight"] == 1)
        time.sleep(3.5)  # so that the other has begun, and time left, when the worker is ended for the first
        other = pool.submit(replica.score, {"seconds": 1})
        assert (late.result().status, other.result().status) == (504, 200)
