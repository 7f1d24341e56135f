"""Real packages, each answered by its own real replica."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from loopwright.errors import StepFailed
from loopwright.evaluation.job import work

COLUMNS = [
    {"name": "gender", "type": "string", "nullable": False, "categories": ["female", "male"]},
    {"name": "age", "type": "number", "nullable": True, "categories": None},
]
BY_GENDER = 'import json\ndef init(): pass\ndef run(data):\n    female = json.loads(data)["gender"] == "female"\n    return {"prediction": female, "p": 0.9 if female else 0.2}\n'
ALL_DIE = 'def init(): pass\ndef run(data): return {"prediction": 0, "p": 0.1}\n'
# Label 1 for 4 of 5 women and 1 of 5 men: by gender, 8 of 10 are right.
HELD_OUT = [("female", 20, 1), ("female", 31, 1), ("female", "", 1), ("female", 44, 1), ("female", 50, 0)]
HELD_OUT += [("male", 21, 0), ("male", 32, 0), ("male", "", 0), ("male", 45, 0), ("male", 51, 1)]
TRAINED = [("female", 1, 1), ("male", 2, 0)]


def table(path, rows):
    path.write_text("gender,age,survived\n" + "".join(f"{','.join(map(str, row))}\n" for row in rows))
    return str(path)


def package(folder, code, columns=COLUMNS):
    (folder / "code").mkdir(parents=True)
    (folder / "model").mkdir()
    (folder / "code" / "score.py").write_text(code)
    (folder / "package.json").write_text(
        json.dumps({"format": 1, "workload": "titanic", "entry": "score.py", "digest": "sha256:0"})
    )
    (folder / "signature.json").write_text(json.dumps({"inputs": columns, "output": {}, "example": None}))
    return str(folder)


@pytest.fixture
def given(tmp_path):
    """The job's input for a package that goes by gender."""
    limits = {"concurrency": 4, "queue": 8, "queue_wait": 2.0, "timeout": 5.0, "max_body": 100_000}
    return {
        "package": package(tmp_path / "candidate", BY_GENDER),
        "python": sys.executable,
        "data": table(tmp_path / "test.csv", HELD_OUT),
        "train": table(tmp_path / "train.csv", TRAINED),
        "label": "survived",
        "prediction": "prediction",
        "probability": "p",
        "task": "classification",
        "positive": None,
        "gates": [{"metric": "accuracy", "min": 0.75}],
        "champion": None,
        "serving": {"limits": limits, "workers": 1, "threads": 1, "grace_period": 2.0},
    }


def champion(tmp_path, code=ALL_DIE, train=TRAINED, columns=COLUMNS):
    return {
        "name": "titanic:3",
        "package": package(tmp_path / "champion", code, columns),
        "python": sys.executable,
        "train": table(tmp_path / "champion_train.csv", train),
        "prediction": "prediction",
        "probability": None,
    }


@pytest.fixture(autouse=True)
def no_replica_is_left(tmp_path):
    """None of this test's: those of other tests' control planes may be descendants of this process, too."""
    yield
    commands = [process.info["cmdline"] or [] for process in psutil.process_iter(["cmdline"])]
    ours = [words for words in commands if any(str(tmp_path) in word for word in words)]
    assert [words for words in ours if "loopwright.scoring" in words] == []


def test_the_package_itself_answers_and_gates_decide(given, tmp_path):
    given["gates"] += [
        {"metric": "accuracy", "slice": "gender", "min": 0.9},
        {"metric": "recall", "max": 0.8},
    ]
    output = work(given, tmp_path)
    assert output["rows"] == 10
    assert output["metrics"]["accuracy"] == pytest.approx(0.8)
    assert output["metrics"]["roc_auc"] == pytest.approx((16 + 4 / 2 + 4 / 2) / 25)
    assert output["confusion"] == {"0": {"0": 4, "1": 1}, "1": {"0": 1, "1": 4}}
    assert output["slices"]["gender"]["male"]["metrics"]["accuracy"] == pytest.approx(0.8)
    assert [gate["passed"] for gate in output["gates"]] == [True, False, True]
    assert not output["passed"]
    assert output["champion"] is None


def test_the_files_it_leaves(given, tmp_path):
    outputs = tmp_path / "outputs"
    outputs.mkdir()
    output = work(given, outputs)
    assert json.loads((outputs / "evaluation.json").read_text()) == output
    lines = (outputs / "predictions.csv").read_text().splitlines()
    assert lines[0] == "row,label,prediction,probability,champion_prediction"
    assert lines[1] == "1,1,1,0.9,"
    assert lines[10] == "10,1,0,0.2,"


def test_the_champion_is_asked_only_for_rows_that_neither_trained_on(given, tmp_path):
    given["champion"] = champion(tmp_path, train=HELD_OUT[:2])
    given["gates"] = [{"metric": "accuracy", "min_versus_champion": 0.0}]
    output = work(given, tmp_path)
    assert output["champion"]["rows"] == 8
    assert output["champion"]["metrics"]["accuracy"] == pytest.approx(5 / 8)
    assert output["champion"]["candidate_metrics"]["accuracy"] == pytest.approx(6 / 8)
    assert output["gates"][0]["reason"] == "accuracy 0.75 against 0.625 of titanic:3: gain 0.125 >= 0 (n=8)"
    assert output["metrics"]["accuracy"] == pytest.approx(0.8)
    predictions = [line.split(",")[4] for line in (tmp_path / "predictions.csv").read_text().splitlines()[1:]]
    assert predictions == ["", ""] + ["0"] * 8


def test_a_column_that_was_added_since_makes_no_row_new(given, tmp_path):
    given["champion"] = champion(tmp_path)
    (tmp_path / "champion_train.csv").write_text("gender,survived\nfemale,1\n")
    assert (
        work(given, tmp_path)["champion"]["rows"] == 6
    )  # the women who lived are among those it may have seen


def test_a_champion_that_cannot_answer_fails_the_comparison_alone(given, tmp_path):
    given["champion"] = champion(
        tmp_path, columns=[{"name": "cabin", "type": "string", "nullable": True, "categories": None}]
    )
    given["gates"] = [{"metric": "accuracy", "min": 0.5}, {"metric": "accuracy", "min_versus_champion": -1.0}]
    output = work(given, tmp_path)
    assert [gate["passed"] for gate in output["gates"]] == [True, False]
    assert "The data has no cabin" in output["champion"]["problem"]


@pytest.mark.parametrize(
    ("code", "told"),
    [
        (
            "def init(): pass\ndef run(data): raise ValueError('no')\n",
            "gave no usable answer to held-out row 1 of 10: status 500",
        ),
        ("def init(): pass\ndef run(data): return {'label': 1}\n", "no `prediction`; it has `label`"),
        ("def init(): pass\ndef run(data): return {'prediction': 1}\n", "no `p`; it has `prediction`"),
        (
            "def init(): raise ValueError('no model')\ndef run(data): return 1\n",
            "The package cannot start to score: init failed: .*no model",
        ),
        ("import nothing_like_it\n", "cannot start to score: .*nothing_like_it"),
    ],
)
def test_a_package_that_cannot_be_judged_says_why(given, tmp_path, code, told):
    given["package"] = package(tmp_path / "broken", code)
    with pytest.raises(StepFailed, match=told.replace("(exit status 3)", r"\(exit status 3\)")):
        work(given, tmp_path)


def test_a_package_that_cannot_answer_its_own_example_says_at_once_what_it_raised(given, tmp_path):
    broken = tmp_path / "broken"
    given["package"] = package(broken, "def run(data): raise ConnectionError('no database')\n")
    signature = json.loads((broken / "signature.json").read_text())
    signature["example"] = {"request": {"gender": "male", "age": 3.0}, "response": {"prediction": 1}}
    (broken / "signature.json").write_text(json.dumps(signature))
    told = r"^The package cannot answer its own example: warm-up failed: ConnectionError: no database \(score\.py:1\)"
    began = time.monotonic()
    with pytest.raises(StepFailed, match=told):
        work(given, tmp_path)
    assert time.monotonic() - began < 60  # and not the time that a start may take


def test_a_package_that_cannot_even_be_loaded_says_why(given, tmp_path):
    (tmp_path / "candidate" / "code" / "score.py").unlink()
    with pytest.raises(
        StepFailed, match=r"\(exit status 2\): its last lines:\n.*the scoring script .* is not there"
    ):
        work(given, tmp_path)


def test_what_user_code_leaves_running_holds_nothing_up(given, tmp_path):
    left = tmp_path / "left"
    code = f"""import subprocess
def init(): open({str(left)!r}, "w").write(str(subprocess.Popen(["sleep", "60"], start_new_session=True).pid))
def run(data): return {{"prediction": 1, "p": 0.5}}
"""
    given["package"] = package(tmp_path / "leaving", code)
    work(given, tmp_path)
    os.kill(int(left.read_text()), signal.SIGKILL)  # raises where the job has waited until it was gone


def test_what_user_code_prints_is_in_the_log(given, tmp_path, capsys):
    code = BY_GENDER.replace("def init(): pass", "def init(): print('model loaded')")
    given["package"] = package(tmp_path / "talking", code)
    work(given, tmp_path)
    assert "model loaded" in capsys.readouterr().err


def test_the_row_and_the_answer_are_shown(given, tmp_path):
    code = "import json\ndef init(): pass\ndef run(data):\n    if json.loads(data)['age'] == 45: return 7\n    return {'prediction': 1, 'p': .5}\n"
    given["package"] = package(tmp_path / "broken", code)
    with pytest.raises(StepFailed) as failed:
        work(given, tmp_path)
    assert "held-out row 9 of 10: the answer is 7" in failed.value.message
    assert 'asked: {"gender":"male","age":45.0}\n    answered: 7' in failed.value.message


def test_an_answer_that_takes_too_long(given, tmp_path):
    given["serving"]["limits"]["timeout"] = 0.2
    given["package"] = package(
        tmp_path / "slow", "import time\ndef init(): pass\ndef run(data): time.sleep(30)\n"
    )
    with pytest.raises(StepFailed, match="status 504"):
        work(given, tmp_path)


def test_no_held_out_rows_are_nothing_to_judge_by(given, tmp_path):
    given["data"] = table(tmp_path / "test.csv", [])
    with pytest.raises(StepFailed, match=r"test.csv has no row with a `survived`"):
        work(given, tmp_path)


def test_regression(given, tmp_path):
    code = 'import json\ndef init(): pass\ndef run(data): return {"result": [2 * (json.loads(data)["age"] or 10)]}\n'
    given |= {
        "package": package(tmp_path / "fare", code),
        "prediction": "result.0",
        "probability": None,
        "task": "regression",
    }
    given["data"] = table(tmp_path / "test.csv", [("female", 10, 21), ("male", "", 17.5), ("male", 3, 6)])
    given["gates"] = [{"metric": "mae", "max": 1.2}]
    output = work(given, tmp_path)
    assert output["metrics"]["mae"] == pytest.approx((1 + 2.5 + 0) / 3)
    assert set(output["metrics"]) == {"mae", "rmse", "r2"}


def test_as_a_process_that_is_asked_to_end_it_stops_its_replica(given, tmp_path):
    folder = tmp_path / "job"
    folder.mkdir()
    given["package"] = package(
        tmp_path / "slow", "import time\ndef init(): time.sleep(60)\ndef run(data): return 1\n"
    )
    (folder / "input.json").write_text(json.dumps(given))
    job = subprocess.Popen(
        [sys.executable, "-m", "loopwright.evaluation.job", str(folder)], stderr=subprocess.PIPE
    )
    replicas = _children(job.pid)
    job.send_signal(signal.SIGTERM)
    _, said = job.communicate(timeout=20)
    assert job.returncode == 1
    assert "was asked to end (SIGTERM)" in json.loads((folder / "error.json").read_text())["message"]
    assert b"was asked to end" in said
    assert not any(replica.is_running() for replica in replicas)


def _children(pid: int) -> list[psutil.Process]:
    """The job's replica, once there is one."""
    until = time.monotonic() + 20
    while time.monotonic() < until:
        found = psutil.Process(pid).children(recursive=True)
        if any("loopwright.scoring" in child.cmdline() for child in found):
            return found
        os.sched_yield()
    raise AssertionError(f"no replica of {Path('/proc') / str(pid)} came up")


def test_a_script_that_writes_labels_in_another_way_is_told_so(given, tmp_path):
    code = 'def init(): pass\ndef run(data): return {"prediction": "yes", "p": 0.1}\n'
    given["package"] = package(tmp_path / "words", code)
    (tmp_path / "said").mkdir()
    with pytest.raises(StepFailed, match=r"score\.py answers 'yes', the label `survived` has 0 and 1"):
        work(given, tmp_path / "said")
