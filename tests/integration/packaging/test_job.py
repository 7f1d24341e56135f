"""The package step as the loop runs it: real replicas of tiny scoring scripts."""

import importlib
import json
import os
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import joblib
import msgspec
import numpy as np
import psutil
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from loopwright import pins
from loopwright.errors import IntegrityError, StepFailed
from loopwright.observations import bins
from loopwright.packaging import manifest, verify
from loopwright.packaging.example import ask
from loopwright.packaging.job import work
from loopwright.scoring import ModelFile, Settings

SCORE = """
    import json, os

    def init():
        global limit
        with open(os.path.join(os.environ["MODEL_DIR"], "limit.txt")) as file:
            limit = float(file.read())

    def run(data):
        return {"prediction": int(json.loads(data)["age"] > limit), "probability": 0.5}
"""


def own_lock() -> str:
    """The lock of the environment that these tests run in."""
    there = pins.installed(Path(sys.prefix))
    return "".join(f"{name}=={version}\n" for name, version in there.items())


@pytest.fixture
def told(tmp_path):
    """What the job is told, of files that can be changed before it runs."""
    (tmp_path / "model").mkdir()
    (tmp_path / "model/limit.txt").write_text("30")
    (tmp_path / "code").mkdir()
    script(tmp_path, SCORE)
    (tmp_path / "lock").write_text(own_lock())
    baseline = bins.make({"age": [1.0, 2.0], "y": [0, 1]}, {"age": "numbers", "y": "categories"}, "y")
    (tmp_path / "baseline.json").write_bytes(bins.encode(baseline))
    return {
        "workload": "titanic",
        "model": str(tmp_path / "model"),
        "code": str(tmp_path / "code"),
        "entry": "score.py",
        "lock": str(tmp_path / "lock"),
        "python": sys.executable,
        "python_version": "3.11",
        "baseline": str(tmp_path / "baseline.json"),
        "columns": [{"name": "age", "type": "number", "nullable": False, "categories": None}],
        "example": {"age": 42.0},
        "label": "y",
        "run": "run-1",
        "data_version": "abc",
        "commit": None,
        "validate_inputs": True,
        "limits": {"concurrency": 1, "queue": 1, "queue_wait": 1.0, "timeout": 10.0, "max_body": 10_000},
        "threads": 1,
    }


def script(folder, text):
    (folder / "code/score.py").write_text(textwrap.dedent(text))


def packaged(told, outputs):
    outputs.mkdir()
    return work(told, outputs), outputs / "package"


def test_a_package_holds_all_that_serves_and_answers(told, tmp_path):
    output, package = packaged(told, tmp_path / "outputs")
    assert output["example"] == {"request": {"age": 42.0}, "response": {"prediction": 1, "probability": 0.5}}
    assert output["digest"] == verify(package).digest
    assert list(manifest(package).files) == [
        "baseline.json",
        "code/score.py",
        "model/limit.txt",
        "requirements.lock",
        "signature.json",
    ]
    assert output["size"] == sum(path.stat().st_size for path in package.rglob("*") if path.is_file())
    assert json.loads((package / "signature.json").read_bytes())["output"]["properties"] == {
        "prediction": {"type": "integer"}, "probability": {"type": "number"},
    }  # fmt: skip


def test_the_manifest_tells_where_it_comes_from(told, tmp_path):
    _, package = packaged(told, tmp_path / "outputs")
    made = manifest(package)
    assert (made.workload, made.entry, made.run, made.data_version, made.label) == (
        "titanic",
        "score.py",
        "run-1",
        "abc",
        "y",
    )
    assert made.lock == made.files["requirements.lock"]


def test_files_are_read_only_and_nothing_was_left_in_the_package(told, tmp_path):
    _, package = packaged(told, tmp_path / "outputs")
    modes = {path.stat().st_mode & 0o777 for path in package.rglob("*") if path.is_file()}
    assert modes == {0o444}


def test_the_same_inputs_make_the_same_package(told, tmp_path):
    first, _ = packaged(told, tmp_path / "1")
    os.utime(tmp_path / "model/limit.txt", (1, 1))
    (tmp_path / "code/score.py").rename(tmp_path / "moved")
    (tmp_path / "moved").rename(tmp_path / "code/score.py")
    again, _ = packaged(told | {"run": "run-2"}, tmp_path / "2")
    assert again["digest"] == first["digest"]


def test_another_model_is_another_package(told, tmp_path):
    first, _ = packaged(told, tmp_path / "1")
    (tmp_path / "model/limit.txt").write_text("31")
    assert packaged(told, tmp_path / "2")[0]["digest"] != first["digest"]


def test_another_script_of_the_same_files_is_another_package(told, tmp_path):
    """Though both answer the example alike: nothing that was found out of one may be taken for the other."""
    (tmp_path / "code/other.py").write_text(textwrap.dedent(SCORE.replace("0.5", "0.25 + 0.25")))
    first, _ = packaged(told, tmp_path / "1")
    other, _ = packaged(told | {"entry": "other.py"}, tmp_path / "2")
    assert other["example"] == first["example"]
    assert other["digest"] != first["digest"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "import nope",
            r"score.py cannot start to score: init failed: ModuleNotFoundError: No module named 'nope' \(score.py:1\)",
        ),
        (
            "def init():\n    open('gone')\ndef run(data): ...",
            r"init failed: FileNotFoundError: .*'gone' \(score.py:2\)",
        ),
        (
            "def init(): ...\ndef run(data):\n    return 1 / 0",
            r"status 500, ZeroDivisionError: division by zero \(score.py:3\). The row: {\"age\":42.0}",
        ),
        (
            "def init(): ...\ndef run(data):\n    return object()",
            r"status 500, TypeError: run\(\) returned a value of type object",
        ),
        (
            "import os\ndef init():\n    os._exit(7)\ndef run(data): ...",
            r"score.py cannot start to score: init failed: .*exited with status 7",
        ),
    ],
)
def test_a_script_that_cannot_score_makes_no_package(told, tmp_path, text, message):
    before = replicas_of_ours()
    script(tmp_path, text)
    with pytest.raises(StepFailed, match=message):
        packaged(told, tmp_path / "outputs")
    assert not (tmp_path / "outputs/package/package.json").exists()
    assert replicas_of_ours() <= before


def replicas_of_ours():
    """The replicas that this process has started; other tests in it may keep some. A zombie has no command line."""
    found = psutil.process_iter(["pid", "ppid", "cmdline"])
    return {
        p.pid
        for p in found
        if p.info["ppid"] == os.getpid() and "loopwright.scoring" in (p.info["cmdline"] or [])
    }


def test_a_script_that_answers_too_late(told, tmp_path):
    script(tmp_path, "import time\ndef init(): ...\ndef run(data):\n    time.sleep(60)")
    with pytest.raises(StepFailed, match=r"status 504, No answer within 0\.5 s"):
        packaged(told | {"limits": {"timeout": 0.5}}, tmp_path / "outputs")


def test_a_training_that_wrote_nothing(told, tmp_path):
    (tmp_path / "model/limit.txt").unlink()
    with pytest.raises(
        StepFailed, match=r"Training wrote no file into \{outputs\}.*--model-path \{outputs\}/model.joblib"
    ):
        packaged(told, tmp_path / "outputs")


def test_a_model_that_is_a_link_to_elsewhere(told, tmp_path):
    (tmp_path / "model/weights").symlink_to(tmp_path / "lock")
    with pytest.raises(StepFailed, match=r"\{outputs\}/weights is a link to .*/lock, outside of its folder"):
        packaged(told, tmp_path / "outputs")


@pytest.mark.parametrize("entry", ["other.py", "../model/limit.txt", "/etc/passwd"])
def test_an_entry_that_is_not_packaged(told, tmp_path, entry):
    with pytest.raises(
        StepFailed, match=r"is not among the packaged files; correct serving.entry or serving.files"
    ):
        packaged(told | {"entry": entry}, tmp_path / "outputs")


def test_a_baseline_that_is_none(told, tmp_path):
    (tmp_path / "baseline.json").write_text("{}")
    with pytest.raises(IntegrityError, match=r"baseline\.json cannot be read"):
        packaged(told, tmp_path / "outputs")


def test_an_example_that_the_signature_refuses(told, tmp_path):
    with pytest.raises(
        StepFailed, match=r"status 422, Row 0: field 'age' is \"x\" \(string\), expected a number"
    ):
        packaged(told | {"example": {"age": "x"}}, tmp_path / "outputs")


def test_inputs_are_not_checked_where_the_user_does_not_want_it(told, tmp_path):
    script(tmp_path, "def init(): ...\ndef run(data):\n    return data")
    output, _ = packaged(told | {"example": {"age": "x"}, "validate_inputs": False}, tmp_path / "outputs")
    assert output["example"]["response"] == '{"age":"x"}'


def test_a_start_that_takes_too_long_is_given_up(told, tmp_path):
    (tmp_path / "code/score.py").write_text(
        "import time\ndef init():\n    time.sleep(60)\ndef run(data): ..."
    )
    settings = Settings(
        workload="w",
        environment="t",
        revision="r",
        package=str(tmp_path),
        entry="score.py",
        python=sys.executable,
        grace_period=0.5,
    )
    began = time.monotonic()
    with pytest.raises(StepFailed, match=r"score.py was not ready to score within 1 s"):
        ask(settings, {}, start_timeout=1.0)
    assert time.monotonic() - began < 20


def test_as_a_job_it_writes_its_output_and_the_replicas_log(told, tmp_path):
    (tmp_path / "job").mkdir()
    (tmp_path / "job/input.json").write_bytes(msgspec.json.encode(told))
    ended = subprocess.run(
        [sys.executable, "-m", "loopwright.packaging.job", tmp_path / "job"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert (
        json.loads((tmp_path / "job/output.json").read_bytes())["digest"]
        == verify(tmp_path / "job/outputs/package").digest
    )
    assert '"action":"starting"' in ended.stdout


def test_nothing_starts_in_an_environment_that_is_not_what_the_lock_says(told, tmp_path):
    pinned = own_lock()
    (tmp_path / "lock").write_text(pinned.replace("\nnumpy==", "\nnumpy==9"))
    version = pins.installed(Path(sys.prefix))["numpy"]
    with pytest.raises(
        StepFailed, match=rf"numpy {version} is installed, the lock says 9{version}\. Nothing starts"
    ):
        work(told, tmp_path / "outputs")


def test_a_model_answers_without_a_script_and_with_modules_of_its_own(told, tmp_path, monkeypatch):
    (tmp_path / "code/score.py").unlink()
    (tmp_path / "code/years.py").write_text("def decades(table):\n    return table / 10\n")
    monkeypatch.syspath_prepend(str(tmp_path / "code"))
    steps = FunctionTransformer(importlib.import_module("years").decades), LogisticRegression()
    fitted = make_pipeline(*steps).fit(np.array([[20.0], [25.0], [40.0], [45.0]]), [0, 0, 1, 1])
    joblib.dump(fitted, tmp_path / "model/model.joblib")
    del sys.modules["years"]
    output, package = packaged(
        told | {"entry": "", "served": "model.joblib", "compile": "never"}, tmp_path / "outputs"
    )
    assert output["example"]["response"]["prediction"] == 1
    assert list(output["outputs"]) == [
        {"name": "prediction", "type": "integer"},
        {"name": "probability", "type": "number"},
    ]
    made = verify(package)
    assert (made.entry, made.model, made.compiled) == (
        "",
        ModelFile(path="model.joblib", flavor="sklearn"),
        False,
    )
    assert "code/years.py" in made.files
