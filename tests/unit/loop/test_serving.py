"""A revision is named by all that decides how it serves, and by nothing else; serving.json says all of it."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from loopwright.errors import StepFailed
from loopwright.loop.case import Case, Services
from loopwright.loop.change import Change
from loopwright.loop.serving import probability_in, replica_set, revision_of
from loopwright.loop.view import View
from loopwright.scoring import load
from loopwright.spec import load_text
from loopwright.state import StateFolder

SPEC = """
apiVersion: loopwright/v1
workload: toy
owner: ada@example.com
data: {{rows: {{source: rows.csv, label: y}}}}
training: {{command: "python t.py {{data.rows.train}} {{outputs}}", dependencies: {{requirements: r.txt}}}}
serving: {{{serving}}}
environments: {{prod: {{}}}}
"""
PACKAGE = {
    "digest": "sha256:1",
    "tree": "t" * 64,
    "environment": "e1",
    "columns": [{"name": "age", "type": "number", "nullable": False, "categories": None}],
}
MODEL = PACKAGE | {
    "model": {"path": "model.joblib", "flavor": "sklearn"},
    "outputs": [{"name": "prediction", "type": "integer"}, {"name": "probability", "type": "number"}],
    "compiled": True,
}
ENTRY = "entry: score.py, replicas: {min: 2}"


def case(serving: str, package: dict[str, Any]) -> Case:
    change = Change("toy-1", "toy", "/f", "s", {}, {}, None, False, None, "ada", False, "ada", 0.0)
    return Case(load_text(SPEC.format(serving=serving)), change, View(), {"package": package})


def revision(serving: str) -> str:
    return revision_of(case(serving, PACKAGE), "prod")


def told(tmp_path: Path, serving: str, package: dict[str, Any]) -> dict[str, Any]:
    """What a replica is told."""
    state = StateFolder(tmp_path)
    store = SimpleNamespace(tree=lambda name: tmp_path / name)
    services = cast("Services", SimpleNamespace(state=state, store=store, python=Path))
    wanted = replica_set(case(serving, package), services, "prod")
    content: dict[str, Any] = json.loads(Path(wanted.settings).read_bytes())
    return content


def test_a_revision_of_the_first_version_keeps_its_name() -> None:
    assert revision(ENTRY).startswith("e126033e062c")


@pytest.mark.parametrize(
    "more",
    [
        "replicas: {min: 1}",
        "replicas: {min: 2, scale_up_delay: 1s}",
        "replicas: {min: 2, scale_down_delay: 1s}",
        "replicas: {min: 0}",
        "fronts: 2",
        "batching: {}",
        "cors: ['*']",
        "grpc: true",
        "observations: {rate: 10%}",
        "observations: {exclude: [age]}",
        "limits: {bodies: 64Mi}",
    ],
)
def test_what_decides_how_it_serves_makes_another_revision(more: str) -> None:
    assert revision(f"entry: score.py, {more}") != revision(ENTRY)


def test_what_is_said_as_it_is_anyway_makes_no_other_revision() -> None:
    assert revision(
        f"{ENTRY}, observations: {{rate: 100%, keep: 30d}}, fronts: 1, grpc: false, cors: [], limits: {{bodies: 256Mi}}"
    ) == revision(ENTRY)


def test_a_script_is_named_with_its_interpreter_and_what_is_kept_of_requests(tmp_path: Path) -> None:
    found = told(tmp_path, f"{ENTRY}, observations: {{exclude: [age], keep: 1d, max_size: 1Mi}}", PACKAGE)
    assert (found["entry"], found["python"], "model" in found) == ("score.py", "e1", False)
    assert found["fronts"] == 1
    assert found["observations"] == {
        "folder": str(tmp_path / "observations/prod/toy" / found["revision"][:12]),
        "rate": 1.0,
        "exclude": ["age"],
        "extra": [],
        "keep": 86400.0,
        "max_bytes": 1048576,
        "prediction": "prediction",
        "probability": None,
    }


def test_a_compiled_model_is_told_to_a_replica_without_an_interpreter(tmp_path: Path) -> None:
    found = told(tmp_path, "model: model.joblib", MODEL)
    assert (found["model"], found["compiled"], found["python"]) == (MODEL["model"], True, "")
    assert found["observations"]["probability"] == "probability"
    settings = load(tmp_path / "revisions" / found["revision"][:16] / "serving.json")
    assert [one.name for one in settings.outputs or ()] == ["prediction", "probability"]


def test_a_column_that_would_be_kept_because_it_is_misspelled_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StepFailed, match=r"exclude names agee, .* its inputs are age") as caught:
        told(tmp_path, f"{ENTRY}, observations: {{exclude: [agee]}}", PACKAGE)
    assert caught.value.places[0].path == "serving.observations.exclude"


def test_where_the_probability_is(tmp_path: Path) -> None:
    spec = case("model: model.joblib", MODEL).spec
    assert probability_in(spec, MODEL) == "probability"
    assert probability_in(spec, MODEL | {"outputs": MODEL["outputs"][:1]}) is None
    assert probability_in(spec, PACKAGE) is None
