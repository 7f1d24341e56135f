"""Rows of several requests in one call: of a script's run_batch() and of a model without a script, in real workers."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import joblib
import onnx_models
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from tests.integration.scoring.conftest import eventually

_INPUTS = [
    {"name": "n", "type": "integer", "nullable": False},
    {"name": "port", "type": "string", "nullable": True},
]

_SCRIPT = """
import os, time

def run_batch(rows: list):
    if any(row["n"] < 0 for row in rows):
        raise ValueError("a negative row")
    if any(row["n"] == 666 for row in rows):
        os._exit(9)
    time.sleep(0.02)
    return [{"twice": row["n"] * 2, "port": row["port"], "together": len(rows), "pid": os.getpid()} for row in rows]
"""

_FORMS = """
import pandas, numpy, pyarrow
{decorated}
def run_batch(rows{annotation}):
    return [type(rows).__name__ + " " + {told}] * len(rows)
"""


@pytest.fixture(scope="session")
def batching(start: Callable[..., Any]) -> Any:
    return start(_SCRIPT, inputs=_INPUTS, limits={"concurrency": 64, "queue": 64}, idempotent=False)


def test_one_row_in_one_answer_out_and_a_list_for_a_list(batching: Any) -> None:
    one = batching.score({"n": 4, "port": "S"}).json
    assert (one["twice"], one["port"]) == (8, "S")
    assert [row["twice"] for row in batching.score([{"n": 1}, {"n": 2}]).json] == [2, 4]
    assert [row["twice"] for row in batching.score({"n": [1, 2, 3]}).json] == [2, 4, 6]
    assert batching.score([]).json == []


def test_requests_at_once_are_joined_and_each_gets_its_own(batching: Any) -> None:
    with ThreadPoolExecutor(24) as pool:
        answers = list(pool.map(lambda n: batching.score({"n": n}).json, range(72)))
    assert [row["twice"] for row in answers] == [n * 2 for n in range(72)]
    assert max(row["together"] for row in answers) > 1


def test_one_bad_row_fails_alone(batching: Any) -> None:
    numbers = [-1 if n == 7 else n for n in range(24)]
    with ThreadPoolExecutor(24) as pool:
        answers = list(pool.map(lambda n: batching.score({"n": n}), numbers))
    assert [answer.status for answer in answers] == [500 if n == -1 else 200 for n in numbers]
    assert answers[7].error["id"] in batching.log()


def test_a_row_that_kills_the_worker_fails_alone(batching: Any) -> None:
    numbers = [666 if n == 3 else n for n in range(12)]
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda n: batching.score({"n": n}), numbers))
    assert [answer.status for answer in answers] == [500 if n == 666 else 200 for n in numbers]


@pytest.mark.parametrize("body", [{"n": "x"}, {"port": "S"}, [{"n": 1}, {"n": None}]])
def test_rows_are_checked_before_they_are_joined(batching: Any, body: Any) -> None:
    answer = batching.score(body)
    assert (answer.status, answer.error["field"]) == (422, "n")


@pytest.mark.parametrize(
    ("decorated", "annotation", "batching", "told", "expected"),
    [
        ("", ": pandas.DataFrame", {}, "str(list(rows.dtypes.astype(str)))", "DataFrame ['int64', 'str']"),
        ("", ": 'numpy.ndarray'", {}, "str(rows.shape)", "ndarray (1, 2)"),
        ("", ": pyarrow.Table", {}, "str(rows.schema.types)", "Table [DataType(int64), DataType(string)]"),
        ("from loopwright_serving import batched\n@batched('dataframe')", "", {}, "str(rows.shape)", "DataFrame (1, 2)"),
        ("", ": list[dict]", {"form": "numpy"}, "str(rows.dtype)", "ndarray object"),
        ("", "", {}, "str(rows)", "list [{'n': 3, 'port': 'S'}]"),
    ],
    ids=["DataFrame", "ndarray", "Table", "decorator", "spec", "nothing"],
)  # fmt: skip
def test_a_script_gets_the_form_that_it_asks_for(
    start: Callable[..., Any], decorated: str, annotation: str, batching: Any, told: str, expected: str
) -> None:
    script = _FORMS.format(decorated=decorated, annotation=annotation, told=told)
    replica = start(script, inputs=_INPUTS, **({"batching": batching} if batching else {}))
    assert replica.score({"n": 3, "port": "S"}).json == expected
    replica.stop()


def test_batching_without_a_function_for_it_says_so(start: Callable[..., Any]) -> None:
    replica = start("def run(data): return 1", ready=False, inputs=_INPUTS, batching={})
    assert replica.process.wait(60) == 3
    assert "score.py has no function run_batch(rows)" in replica.log()


def test_answers_that_are_not_one_for_each_row_fail_with_the_reason_in_the_log(
    start: Callable[..., Any],
) -> None:
    replica = start("def run_batch(rows): return [1, 2, 3]", inputs=_INPUTS)
    assert replica.score([{"n": 1}, {"n": 2}]).status == 500
    assert "gave 3 answers for 2 rows, expected one for each" in replica.log()


def test_before_there_is_a_signature_each_body_is_a_call(start: Callable[..., Any]) -> None:
    replica = start("async def run_batch(rows): return [row['n'] for row in rows]")
    assert replica.score({"n": 3}).json == 3
    assert replica.score([{"n": 1}, {"n": 2}]).json == [1, 2]
    assert replica.score([1]).status == 400


@pytest.fixture(scope="session")
def fitted() -> Any:
    table = pd.DataFrame({"n": range(20), "port": ["S", "C"] * 10})
    columns = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), ["port"]), remainder="passthrough"
    )
    return make_pipeline(columns, LogisticRegression()).fit(table, [n > 9 for n in range(20)])


@pytest.fixture(scope="session")
def model(start: Callable[..., Any], fitted: Any) -> Any:
    """A model without a script, on two workers."""

    def package(folder: Path) -> None:
        joblib.dump(fitted, folder / "model" / "model.joblib")
        shutil.rmtree(folder / "code")

    return start(
        "", prepare=package, entry="", model={"path": "model.joblib", "flavor": "sklearn"}, workers=2,
        inputs=_INPUTS, limits={"concurrency": 32, "queue": 256, "queue_wait": 30.0, "timeout": 30.0},
        outputs=[{"name": "prediction", "type": "boolean"}, {"name": "probability", "type": "number"}],
    )  # fmt: skip


def test_a_model_without_a_script_answers_as_it_does_itself(model: Any, fitted: Any) -> None:
    table = pd.DataFrame({"n": [3, 15], "port": ["S", None]})
    answer = model.score([{"n": 3, "port": "S"}, {"n": 15}]).json
    assert [row["prediction"] for row in answer] == fitted.predict(table).tolist()
    assert [row["probability"] for row in answer] == pytest.approx(fitted.predict_proba(table)[:, 1].tolist())
    assert set(model.score({"n": 3, "port": "S"}).json) == {"prediction", "probability"}


def test_workers_killed_under_load_cost_no_request(model: Any) -> None:
    """SIGKILL of one worker after another while requests come: each is answered, and rightly."""
    with ThreadPoolExecutor(16) as pool:
        answers = pool.map(lambda n: (n, model.score({"n": n % 20, "port": "S"})), range(1500))
        for _ in range(3):
            before = {worker.pid for worker in model.workers()}
            os.kill(next(iter(before)), signal.SIGKILL)
            eventually(lambda before=before: len({one.pid for one in model.workers()} - before) >= 1)
        found = list(answers)
    assert {answer.status for _, answer in found} == {200}
    assert all(answer.json["prediction"] == (n % 20 > 9) for n, answer in found)


def test_a_hung_batch_blocks_no_other_worker(start: Callable[..., Any]) -> None:
    script = """
        import time
        def run_batch(rows):
            if rows[0]["n"] == 0: time.sleep(60)
            return [row["n"] for row in rows]
    """
    replica = start(script, inputs=_INPUTS, workers=2, limits={"timeout": 2.0, "concurrency": 32})
    with ThreadPoolExecutor(2) as pool:
        hung = pool.submit(replica.score, {"n": 0})
        eventually(lambda: replica.ask("GET", "/stats").json["in_flight"] == 1)
        answers = [replica.score({"n": n}) for n in range(1, 40)]
        assert {answer.status for answer in answers} == {200}
        assert hung.result().status == 504
    eventually(lambda: len(replica.workers()) == 2 and replica.score({"n": 5}).status == 200)
    replica.stop()


def test_a_row_that_hangs_is_late_alone(start: Callable[..., Any]) -> None:
    script = """
        import os, pathlib, time
        def run_batch(rows):
            print("asked", len(rows), flush=True)
            while rows[0]["n"] < 0 and not (pathlib.Path(os.environ["MODEL_DIR"]) / "go").exists(): time.sleep(0.01)
            if any(row["n"] == 0 for row in rows): time.sleep(60)
            return [row["n"] for row in rows]
    """
    replica = start(script, inputs=_INPUTS, limits={"timeout": 2.5, "queue_wait": 9.0, "concurrency": 32})
    with ThreadPoolExecutor(8) as pool:
        first = pool.submit(replica.score, {"n": -1})
        eventually(lambda: "asked 1" in replica.log())
        asked = [pool.submit(replica.score, {"n": n}) for n in (1, 2, 0, 3, 4, 5)]
        eventually(lambda: replica.ask("GET", "/stats").json["queued"] == 6)
        (replica.folder / "package/model/go").touch()
        answers = [one.result() for one in asked]
    assert first.result().status == 200
    assert [answer.status for answer in answers] == [200, 200, 504, 200, 200, 200]
    assert "asked 6" in replica.log()
    replica.stop()


def test_what_a_model_cannot_take_in_a_row_is_its_clients_fault_and_costs_no_other(
    start: Callable[..., Any],
) -> None:
    replica = start(
        "", entry="", model={"path": "m.onnx", "flavor": "onnx"},
        prepare=lambda folder: onnx_models.doubling(folder / "model" / "m.onnx"),
        inputs=[{"name": "n", "type": "integer", "nullable": True}],
        outputs=[{"name": "prediction", "type": "integer"}],
    )  # fmt: skip
    with ThreadPoolExecutor(8) as pool:
        bodies: list[Any] = [{"n": n} for n in range(30)] + [{}, [{"n": 1}, {"n": None}]]
        *good, missing, listed = pool.map(replica.score, bodies)
    assert [one.json["prediction"] for one in good] == [2 * n for n in range(30)]
    assert (missing.status, missing.error["code"], missing.error["field"]) == (422, "invalid-input", "n")
    assert (listed.status, listed.error["row"], listed.error["found"]) == (422, 1, "null")
    infer = {"inputs": [{"name": "n", "datatype": "INT64", "shape": [1], "data": [None]}]}
    assert replica.ask("POST", "/v2/models/w/infer", infer).status == 422
    assert "score-failed" not in replica.log()


def test_a_model_that_does_not_fit_its_inputs_says_what_is_wrong(
    start: Callable[..., Any], fitted: Any
) -> None:
    replica = start(
        "", ready=False, entry="", model={"path": "model.joblib", "flavor": "sklearn"}, inputs=_INPUTS[:1],
        prepare=lambda folder: joblib.dump(fitted, folder / "model" / "model.joblib"),
        outputs=[{"name": "prediction", "type": "boolean"}],
    )  # fmt: skip
    assert replica.process.wait(60) == 3
    assert "The model takes 'port', which the declared inputs ('n') do not have" in replica.log()
