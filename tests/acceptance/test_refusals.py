"""What is wrong stops at its step with one clear message and exit status 1, and production stays as it was."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from driving import Production

pytestmark = pytest.mark.acceptance


@pytest.fixture(autouse=True)
def untouched(production: Production) -> Iterator[None]:
    """Production serves the same version before and after."""
    before = production.cli.serving()
    yield
    after = production.cli.serving()
    assert (after["version"], after["package"], after["since"]) == (
        before["version"],
        before["package"],
        before["since"],
    )
    assert after["ready"] >= 2
    assert production.cli.json("history", "verify")["ok"]


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text, f"{file.name} no longer says {old!r}"
    file.write_text(text.replace(old, new))


def refused(
    production: Production, folder: Path, step: str, *words: str, at: str = "", line: str = ""
) -> str:
    """The message of an `up` that must stop at a step and point to the line of the file `at`; the ledger tells the same."""
    done = production.cli("up", str(folder), "--auto-approve", expect=1)
    failed = production.cli.facts("step.failed")[-1]["body"]
    assert failed["step"] == step
    if at:
        lines = (folder / at).read_text().splitlines()
        assert line in lines[failed["places"][0]["line"] - 1]
        words = (*words, f"{at}:{failed['places'][0]['line']}:")
    for word in words:
        assert word in done.stderr
        assert word in failed["message"]
    return done.stderr


def test_a_wrong_spec_is_refused_with_its_place_and_records_nothing(
    production: Production, variant: Path
) -> None:
    edit(variant / "loopwright.yaml", "concurrency: 8", "concurency: 8")
    before = len(production.cli.facts())
    said = production.cli("up", str(variant), expect=1).stderr
    assert "loopwright.yaml:" in said
    assert "concurrency" in said
    assert len(production.cli.facts()) == before


def test_columns_that_the_data_lack_are_refused_with_their_place(
    production: Production, variant: Path
) -> None:
    edit(variant / "loopwright.yaml", "slice: gender", "slice: gendr")
    said = production.cli("validate", str(variant), expect=1).stderr
    assert "evaluation.gates.2.slice" in said
    assert "Did you mean `gender`?" in said


def test_an_environment_has_no_name_of_a_step(production: Production, variant: Path) -> None:
    edit(variant / "loopwright.yaml", "  dev: {engine: local}", "  train: {engine: local}")
    assert "environments.train" in production.cli("validate", str(variant), expect=1).stderr


def test_broken_data_stop_at_data_with_column_and_rows(production: Production, variant: Path) -> None:
    file = variant / "data" / "passengers.csv"
    lines = file.read_text().splitlines()
    lines[5] = lines[5].replace(lines[5].split(",")[2], "steerage-deck", 1)
    file.write_text("\n".join(lines) + "\n")
    file_and_line = {"at": "schemas/passengers.yaml", "line": "[1st, 2nd, 3rd]"}
    refused(production, variant, "data", "class", "steerage-deck", **file_and_line)
    lines[5] = lines[6]  # mended, it goes on from there
    file.write_text("\n".join(lines) + "\n")
    requirements = (variant / "requirements.txt").read_text()
    (variant / "requirements.txt").write_text(requirements + "# environment and data work at once\n")
    (variant / "training.py").write_text("raise RuntimeError('far enough')\n")
    refused(production, variant, "train", "far enough")


def test_a_training_script_that_raises_stops_at_train(production: Production, variant: Path) -> None:
    (variant / "training.py").write_text("raise RuntimeError('no features left')\n")
    refused(production, variant, "train", "no features left", at="training.py", line="raise RuntimeError")


def test_a_training_script_that_writes_nothing_stops_at_train(production: Production, variant: Path) -> None:
    (variant / "training.py").write_text("print('done')\n")
    refused(production, variant, "train", "{outputs}", at="loopwright.yaml", line="command:")


def test_a_score_py_that_cannot_start_stops_at_package(production: Production, variant: Path) -> None:
    (variant / "score.py").write_text(
        "def init():\n    open('/nowhere/model')\n\n\ndef run(data):\n    return 1\n"
    )
    refused(production, variant, "package", "/nowhere/model", at="score.py", line="open('/nowhere/model')")


def test_a_failing_gate_stops_at_evaluate_with_its_numbers(production: Production, variant: Path) -> None:
    edit(variant / "loopwright.yaml", "{metric: accuracy, min: 0.75}", "{metric: accuracy, min: 0.99}")
    refused(production, variant, "evaluate", "accuracy", "0.99", at="loopwright.yaml", line="min: 0.99")


def test_a_failing_functional_case_stops_at_functional(production: Production, variant: Path) -> None:
    cases = variant / "tests" / "functional.yaml"
    cases.write_text(
        cases.read_text()
        + "\n  - name: a case that cannot hold\n    request: {}\n    expect: {status: 200, values: {prediction: 1}}\n"
    )
    wrong = {"at": "tests/functional.yaml", "line": "expect: {status: 200, values: {prediction: 1}}"}
    refused(production, variant, "functional", "a case that cannot hold", "422", **wrong)


def test_a_failing_stress_test_stops_at_stress(production: Production, variant: Path) -> None:
    edit(variant / "loopwright.yaml", "p99: 20s", "p99: 1ms")
    refused(production, variant, "stress", "p99", at="loopwright.yaml", line="p99: 1ms")


def test_requirements_that_do_not_exist_stop_at_environment_with_their_line(
    production: Production, variant: Path
) -> None:
    edit(variant / "requirements.txt", "joblib==", "joblib>=9999  # was ==")
    refused(production, variant, "environment", "joblib", at="requirements.txt", line="joblib>=9999")


def test_training_beyond_its_time_points_to_its_limit(production: Production, variant: Path) -> None:
    edit(variant / "loopwright.yaml", "max_duration: 10m", "max_duration: 1s")
    (variant / "training.py").write_text("import time\n\ntime.sleep(600)\n")
    refused(production, variant, "train", "max_duration", at="loopwright.yaml", line="max_duration: 1s")


def test_a_rejected_approval_stops_there_with_its_comment(production: Production, variant: Path) -> None:
    edit(variant / "loopwright.yaml", "queue: 64", "queue: 63")
    cli = production.cli
    with subprocess.Popen(
        cli.command("up", str(variant)),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=cli.environment(),
    ) as up:
        assert up.stdout is not None
        assert up.stderr is not None
        waiting = next(line for line in up.stdout if line.startswith("Waiting for a person"))
        approval = waiting.split("loopwright approve ")[1].split()[0]
        cli("reject", approval, "--comment", "not on a Friday")
        said = up.stderr.read()
    assert up.returncode == 1
    assert "not on a Friday" in said
    assert cli.facts("step.failed")[-1]["body"]["step"] == "approval"
    assert "already rejected" in cli("approve", approval, expect=1).stderr


def test_an_unknown_approval_is_refused(production: Production) -> None:
    assert "nonsense" in production.cli("approve", "nonsense", expect=1).stderr
