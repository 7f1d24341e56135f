from __future__ import annotations

from pathlib import Path

import pytest

from loopwright.spec import CasesFile, load_text, load_with_positions, parse_with_positions, warnings
from loopwright.spec.traps import CASE_TRAPS, TRAPS

STRESS = ", stress: {requests: 2000, concurrency: 32, max_error_rate: 0%, p99: 250ms}"
GATES = "gates: [{metric: accuracy, min: 0.75}, {metric: accuracy, min_versus_champion: -0.01}, {metric: accuracy, slice: gender, min: 0.65}]"
COMPILED = "packaging: {compile: required}\nserving:\n  model: model.joblib\n  workers: 2"
EDITS = [
    ("queue-wait", "serving.limits.queue_wait", "queue_wait: 2s", "queue_wait: 6s"),
    ("stress-requests", "tests.stress.requests", "requests: 2000", "requests: 20"),
    ("stress-requests", "tests.stress.requests", "requests: 2000", "requests: 99"),
    ("stress-capacity", "tests.stress.concurrency", "queue: 64", "queue: 7"),
    ("stress-failures", "tests.stress.max_error_rate", "max_error_rate: 0%", "max_error_rate: 100%"),
    ("no-stress", "tests.stress", STRESS, ""),
    ("no-functional", "tests.functional", "functional: tests/functional.yaml, ", ""),
    ("no-gates", "evaluation.gates", f"  {GATES}\n", ""),
    ("champion-alone", "evaluation.gates", GATES, "gates: [{metric: accuracy, min_versus_champion: 0}]"),
    ("slice-label", "evaluation.gates.2.slice", "slice: gender", "slice: survived"),
    ("gate-always-passes", "evaluation.gates.0", "min: 0.75", "min: 0"),
    ("gate-always-passes", "evaluation.gates.0", "min: 0.75", "max: 100%"),
    ("gate-wrong-way", "evaluation.gates.0.min", "metric: accuracy, min: 0.75", "metric: rmse, min: 3"),
    ("one-replica", "serving.replicas.min", "min: 2, max: 4", "min: 1, max: 4"),
    (
        "never-at-zero",
        "serving.replicas.scale_to_zero_after",
        "min: 2, max: 4",
        "min: 2, max: 4, scale_to_zero_after: 5m",
    ),
    ("model-not-written", "serving.model", "entry: score.py", "model: model.pkl"),
    ("idle-workers", "serving.workers", "serving:\n  entry: score.py", COMPILED),
    ("no-approval", "environments.prod", ", approval: required", ""),
    (
        "approval-of-all",
        "environments.prod.approval.by",
        "approval: required",
        "approval: {count: 2, by: [ada, bob], not_author: true}",
    ),
    (
        "approval-of-nobody",
        "environments.dev.approval.count",
        "dev: {",
        "dev: {approval: {count: 0, by: [ada]}, ",
    ),
    ("grpc-asleep", "serving.grpc", "replicas: {min: 2,", "grpc: true\n  replicas: {min: 0,"),
    ("open-endpoint", "serving.auth", "auth: key", "auth: none"),
    ("shell-syntax", "training.command", "joblib\n", "joblib && ls\n"),
    ("unused-placeholder", "training.command", "{data.passengers.train}", "data/passengers.csv"),
    ("unused-placeholder", "training.command", "{outputs}/model", "model"),
]


@pytest.mark.parametrize(("code", "path", "old", "new"), EDITS)
def test_each_trap_is_seen_where_it_is(example: str, code: str, path: str, old: str, new: str) -> None:
    assert old in example
    found = warnings(load_text(example.replace(old, new, 1)))
    assert [(warning.code, warning.path) for warning in found] == [(code, path)]
    assert len(found[0].message) > 20


def test_every_trap_has_an_edit_here() -> None:
    assert {code for code, *_ in EDITS} == {trap.code for trap in TRAPS}


def test_a_task_runs_without_a_shell_too(example: str) -> None:
    task = 'pipeline: {tasks: {tidy: {command: "python a.py && ls", after: data}}}'
    found = warnings(load_text(f"{example}\n{task}\n"))
    assert [(warning.code, warning.path) for warning in found] == [
        ("shell-syntax", "pipeline.tasks.tidy.command")
    ]


def test_the_example_falls_into_none(folder: Path) -> None:
    spec, positions = load_with_positions(folder / "loopwright.yaml")
    assert warnings(spec, positions, *parse_with_positions(CasesFile, folder / "tests/functional.yaml")) == ()


def test_a_warning_says_file_line_and_what_to_do(folder: Path, example: str) -> None:
    (folder / "loopwright.yaml").write_text(example.replace("queue_wait: 2s", "queue_wait: 6s"))
    told = [str(warning) for warning in warnings(*load_with_positions(folder / "loopwright.yaml"))]
    assert told == [
        f"{folder}/loopwright.yaml:18:51: serving.limits.queue_wait: A request may wait 6s, longer than the 5s that its answer "
        "may take, so clients give up first. Set it below `timeout`. [queue-wait]"
    ]


@pytest.mark.parametrize("path", ["cases.0", "tests.functional"])
def test_a_case_that_looks_at_the_status_alone(folder: Path, cases: str, path: str) -> None:
    file = folder / "tests/functional.yaml"
    file.write_text(
        cases.replace("cases:\n", "cases:\n  - {name: answers, request: 1, expect: {max_time: 1s}}\n")
    )
    spec, positions = load_with_positions(folder / "loopwright.yaml")
    read, places = parse_with_positions(CasesFile, file)
    (found,) = warnings(spec, positions, read, places if path == "cases.0" else None)
    assert (found.code, found.path) == ("case-status-only", path)
    assert (found.line, found.file) == ((2, str(file)) if path == "cases.0" else (21, positions.file))
    assert "`answers`" in found.message


def test_cases_that_check_no_answer(folder: Path, cases: str) -> None:
    file = folder / "tests/functional.yaml"
    file.write_text(
        cases.partition("  - name: not JSON")[0].replace(
            "values: {prediction: 1, probability: {min: 0.5, max: 1}}, ", ""
        )
    )
    spec, positions = load_with_positions(folder / "loopwright.yaml")
    (found,) = warnings(spec, positions, *parse_with_positions(CasesFile, file))
    assert found.code == "cases-check-nothing"
    assert {code for code, _ in CASE_TRAPS} == {"cases-check-nothing", "case-status-only"}
