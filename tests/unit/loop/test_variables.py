"""Who sees which variables, and what a change of one does anew."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from loopwright.loop.case import Case
from loopwright.loop.change import Change, digest
from loopwright.loop.steps import plan
from loopwright.loop.variables import (
    environment_variables,
    first_variables,
    placeholders_of,
    seen,
    served,
    training_variables,
)
from loopwright.loop.view import View
from loopwright.spec import Workload, load_text

SPEC = load_text("""
apiVersion: loopwright/v1
workload: toy
owner: ada@example.com
data: {rows: {source: rows.csv, label: y}}
variables: {A: workload, B: workload, T: "secret:TOKEN"}
variable_groups:
  all: {prefix: ALL_}
  prod: {prefix: PROD_, environments: [prod]}
training:
  command: "python t.py {data.rows.train} {variables.A} {outputs}"
  dependencies: {requirements: r.txt}
  variables: {A: training}
serving: {entry: score.py}
environments: {dev: {variables: {B: dev}}, prod: {}}
""")
GROUPS = {"all": {"A": "group", "G": "group"}, "prod": {"B": "prod", "P": "prod"}}
CHANGE = Change(
    id="toy-1", workload="toy", folder="", spec="s", files={}, sources={}, commit=None, dirty=False, diff=None,
    author="", auto_approve=False, actor="ada", requested_at=0.0, groups=GROUPS, secrets={"TOKEN": "digest"},
)  # fmt: skip
SECRET = {"T": "secret:TOKEN"}


def replaced(path: str, variables: dict[str, str]) -> Workload:
    """The spec with these variables laid over those at a path."""
    stated = SPEC.model_dump(exclude_unset=True, by_alias=True)
    part = stated
    for name in path.split("."):
        part = part[name]
    part |= variables
    return Workload.model_validate(stated)


def test_the_more_particular_counts() -> None:
    assert training_variables(SPEC, CHANGE) == {"A": "training", "B": "workload", "G": "group"} | SECRET
    dev = {"A": "workload", "B": "dev", "G": "group"} | SECRET
    assert environment_variables(SPEC, CHANGE, "dev") == first_variables(SPEC, CHANGE) == dev
    assert (
        environment_variables(SPEC, CHANGE, "prod")
        == {"A": "workload", "B": "prod", "G": "group", "P": "prod"} | SECRET
    )


def test_commands_name_no_secret() -> None:
    assert placeholders_of({"A": "x"} | SECRET) == {"variables.A": "x"}


def test_a_renewed_secret_is_another_revision_and_the_same_step() -> None:
    renewed = replace(CHANGE, secrets={"TOKEN": "another"})
    assert served(SECRET, CHANGE) != served(SECRET, renewed)
    assert seen(training_variables(SPEC, CHANGE)) == seen(training_variables(SPEC, renewed))
    assert CHANGE.identity != renewed.identity


def test_without_variables_nothing_is_as_it_was_not() -> None:
    assert seen({}) == served({}, CHANGE) == {}
    plain = replace(CHANGE, groups={}, secrets={})
    assert plain.identity == digest({"spec": "s", "files": {}, "sources": {}})


@pytest.mark.parametrize("lacking", ["groups", "secrets"])
def test_a_change_of_before_there_were_any_is_read(lacking: str) -> None:
    body: dict[str, Any] = CHANGE.body()
    del body[lacking]
    read = Change.from_fact(CHANGE.id, CHANGE.workload, CHANGE.actor, CHANGE.requested_at, body)
    assert getattr(read, lacking) == {}
    assert Change.from_fact("toy-1", "toy", "ada", 0.0, CHANGE.body()) == CHANGE


def case(spec: Workload = SPEC, change: Change = CHANGE) -> Case:
    outputs = {
        "data": {"tree": "d"}, "environment": {"digest": "e"}, "train": {"model": "m", "run": "r"}, "package": {"digest": "p"},
    }  # fmt: skip
    return Case(spec, replace(change, files={"t.py": "1", "score.py": "2"}), View(), dict(outputs))


def digests(one: Case) -> dict[str, str]:
    return {step.name: digest(step.inputs(one)) for step in plan(one.spec) if step.name in ANEW}


ANEW = ("train", "package", "evaluate", "dev", "prod")


@pytest.mark.parametrize(
    ("changed", "anew"),
    [
        (case(replaced("training.variables", {"A": "other"})), {"train"}),
        (case(replaced("variables", {"A": "other"})), {"package", "evaluate", "dev", "prod"}),
        (case(replaced("environments.dev.variables", {"B": "other"})), {"package", "evaluate", "dev"}),
        (case(change=replace(CHANGE, groups=GROUPS | {"prod": {"P": "other"}})), {"prod"}),
        (case(change=replace(CHANGE, secrets={"TOKEN": "renewed"})), {"dev", "prod"}),
    ],
)
def test_what_sees_a_variable_is_done_anew_and_nothing_else(changed: Case, anew: set[str]) -> None:
    before, after = digests(case()), digests(changed)
    assert {name for name in ANEW if before[name] != after[name]} == anew
