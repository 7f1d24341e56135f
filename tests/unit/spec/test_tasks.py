"""What a spec says of its tasks fits together, or is refused with the place."""

from __future__ import annotations

from pathlib import Path

import pytest

from loopwright.errors import SpecError
from loopwright.loop.steps import plan
from loopwright.spec import load_text
from loopwright.spec.tasks import built_in, runs

TWO_APPROVALS = "  dev: {approval: required}"


def declare(example: str, tasks: str) -> str:
    return f"{example}pipeline:\n  tasks:\n{tasks}"


def refused(example: str, tasks: str) -> str:
    """The one problem of a spec with these tasks."""
    with pytest.raises(SpecError) as error:
        load_text(declare(example, tasks))
    assert len(error.value.problems) == 1, error.value.message
    return error.value.message


def test_an_empty_matrix_is_told_together_with_other_mistakes(example: str) -> None:
    with pytest.raises(SpecError) as error:
        load_text(declare(example, "    a: {command: x, matrix: {N: []}, colour: red}"))
    assert [problem.path.rpartition(".")[2] for problem in error.value.problems] == ["N", "colour"]


@pytest.mark.parametrize(
    ("tasks", "words"),
    [
        ("    a: {command: x, needs: [b]}", [":29: pipeline.tasks.a.needs.0", "`b`", "there is none"]),
        ("    a: {command: x, needs: [train]}", ["`after: train`"]),
        ("    a: {command: x, after: nope}", ["pipeline.tasks.a.after", "`evaluate`", "`prod`"]),
        ("    a: {command: x, before: a}", ["by `needs`"]),
        ("    a: {command: x, needs: [b]}\n    b: {command: x, needs: [a]}", ["a ring: `a`, which waits for `b`"]),
        ("    a: {command: x, after: train, before: data}", ["a ring", "`data`"]),
        ("    dev: {command: x}", ["`dev`", "a name of its own"]),
        ("    approval-x: {command: x}", ["`approval-x`"]),
        ("    a: {command: x, matrix: {N: [1]}}\n    a-1: {command: x}", ["`a-1`", "the task a has"]),
        ("    a: {command: x, matrix: {N: []}}", ["pipeline.tasks.a.matrix.N", "expected at least 1"]),
        ("    a: {command: x, matrix: {N: [0.1, 0-1]}}", ["`0.1` and `0-1`"]),
        ("    a: {command: x, matrix: {A: [1, 1-2], B: [2-3, 3]}}", ["two combinations"]),
        ("    a: {command: 'x {matrix.N}', matrix: {n: [1]}}", ["`{matrix.N}`", "`{matrix.n}`"]),
        ("    a: {command: 'x {model}', after: data}", ["no value before train is done", "`after: train`"]),
        ("    a: {command: 'x {data.passengers.train}'}", ["`after: data`"]),
        ("    a: {command: 'x {data.passengers.test}', after: data}", ["Held out means held out"]),
        ("    a: {command: 'x {endpoint.prod}', after: stress}", ["`after: prod`"]),
        ("    a: {command: 'x {artifacts.b}'}\n    b: {command: 'x {outputs}'}", ["`artifacts.in`"]),
        ("    a: {command: x, artifacts: {in: [b]}}\n    b: {command: x}", ["keeps no artifacts"]),
        ("    a: {command: x, always: true, after: dev}", ["expected neither"]),
        ("    a: {command: 'x {model}', always: true}", ["clean-up: none"]),
        ("    a: {command: x, always: true, cache: true}", ["pipeline.tasks.a.cache"]),
        ("    a: {command: x, always: true, needs: [b]}\n    b: {command: x}", ["may never run"]),
        ("    a: {command: x, needs: [b]}\n    b: {command: x, always: true}", ["a clean-up"]),
        ("    a: {command: 'x \"', after: data}", ["a quote that is not closed"]),
        ("    a: {command: x, retry: {attempts: 0}}", ["at least 1"]),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_with_its_place(example: str, tasks: str, words: list[str]) -> None:
    message = refused(example, tasks)
    for word in ("loopwright.yaml:2", *words):
        assert word in message


def test_a_matrix_beyond_the_limit_is_refused(example: str) -> None:
    values = list(range(11))
    message = refused(example, f"    a: {{command: x, matrix: {{A: {values}, B: {values}}}}}")
    assert "121 runs (11 x 11)" in message


def test_a_task_s_script_must_be_there(example: str, folder: Path) -> None:
    with pytest.raises(SpecError, match=r"pipeline.tasks.a.command: found `lint.py`, which does not exist"):
        load_text(declare(example, "    a: {command: python lint.py}"), folder=folder)


def test_a_matrix_stands_for_a_run_of_each_combination(example: str) -> None:
    spec = load_text(declare(example, "    a: {command: x, matrix: {N: [1, 2.5], LOUD: [true, false]}}"))
    assert runs("a", spec.pipeline.tasks["a"]) == {
        "a-1-true": {"N": "1", "LOUD": "true"},
        "a-1-false": {"N": "1", "LOUD": "false"},
        "a-2-5-true": {"N": "2.5", "LOUD": "true"},
        "a-2-5-false": {"N": "2.5", "LOUD": "false"},
    }


@pytest.mark.parametrize(
    ("old", "new"),
    [("", ""), (", approval: required", ""), ("  dev: {engine: local}", TWO_APPROVALS), ("functional: tests/functional.yaml, ", "")],
)  # fmt: skip
def test_the_order_that_is_checked_is_the_order_that_runs(example: str, old: str, new: str) -> None:
    spec = load_text(example.replace(old, new) if old else example)
    planned = {step.name: set(step.needs) for step in plan(spec)}
    assert planned == {name: set(needs) for name, needs in built_in(spec).items()}
