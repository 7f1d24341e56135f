"""What must fit together: placeholders, gates, splits, and files."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from loopwright.errors import SpecError
from loopwright.spec import load, load_text


def problems(text: str) -> list[str]:
    with pytest.raises(SpecError) as caught:
        load_text(text, "f.yaml")
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("{data.passengers.train}", "{data.passengers.test}", "f.yaml:9:12: training.command: found the placeholder `{data.passengers.test}`"),
        ("{data.passengers.train}", "{data.passengers.test}", "Held out means held out"),
        ("{data.passengers.train}", "{data.crew.train}", "expected `{data.passengers.train}` or `{outputs}`."),
        ("{outputs}", "{'depth':3}", "Braces stand for placeholders alone"),
        ("python training.py", "python 'training.py", "training.command: found a quote that is not closed"),
        ("by: row", "by: survived", "data.passengers.split.by: found the label `survived`, expected `row`, or a column"),
        ("test: 25%", "test: 0%", "data.passengers.split.test: found the text `0%`, expected a share above 0% and below 100%"),
    ],
)  # fmt: skip
def test_parts_that_do_not_fit(example: str, old: str, new: str, expected: str) -> None:
    told = problems(example.replace(old, new, 1))
    assert len(told) == 1
    assert expected in told[0]


@pytest.mark.parametrize(
    ("gate", "expected"),
    [
        ("{metric: accuracy}", "evaluation.gates.0: found a gate without a bound, expected one of `min`, `max` or `min_versus_champion`."),
        ("{metric: f1, min: 0.5, min_versus_champion: 0}", "evaluation.gates.0.min_versus_champion: found two conditions in one gate"),
        ("{metric: rmse, min: 5, max: 3}", "evaluation.gates.0.min: found a least value of 5, expected at most `max`, which is 3."),
        ("{metric: accuracy, min: 75}", "evaluation.gates.0.min: found 75, expected a number from 0 to 1, as accuracy has. Did you mean `75%`?"),
        ("{metric: roc_auc, min: 0.8}", "evaluation.gates.0.metric: found the metric `roc_auc` without probabilities"),
        ("{metric: log_loss, max: 0.4}", "found the metric `log_loss` without probabilities"),
    ],
)  # fmt: skip
def test_gates_that_decide_nothing(example: str, gate: str, expected: str) -> None:
    told = problems(example.replace("{metric: accuracy, min: 0.75}", gate))
    assert len(told) == 1
    assert expected in told[0]


@pytest.mark.parametrize(
    ("serving", "expected"),
    [
        ("model: model.joblib\n  entry: score.py", "f.yaml:16:10: serving.model: found `model` beside `entry`, expected one of the two."),
        ("files: ['*.py']", "f.yaml:16:3: serving: found neither `entry` nor `model`, expected one of the two. Name the scoring script"),
        ("entry: score.py\n  flavor: sklearn", "serving.flavor: found a flavor without `model`"),
        ("model: model.joblib\n  flavor: torch", "serving.flavor: found the text `torch`, expected"),
        ("model: /m.joblib", "serving.model: found the text `/m.joblib`, expected a path inside what training writes"),
        ("model: ../m.joblib", "serving.model: found the text `../m.joblib`"),
        ("model: '{outputs}/m.joblib'", "Did you mean `m.joblib`?"),
        ("model: m.joblib\n  validate_inputs: false", "serving.validate_inputs: found `false` beside `model`, expected `true`."),
        ("entry: score.py\npackaging: {compile: required}", "packaging.compile: found `required`, expected `auto` or `never` beside `serving.entry`"),
        ("entry: score.py\n  observations: {exclude: [age, id], extra: [id]}", "serving.observations.extra: found `id`, which `exclude` names too, expected it in one of the two."),
        ("entry: score.py\n  observations: {rate: 2}", "serving.observations.rate: found `2`, expected a share from 0% to 100%"),
        ("model: m.joblib\n  batching: {form: numpy}", "serving.batching.form: found a form beside `model`, expected none."),
        ("entry: score.py\n  limits: {bodies: 5Mi}", "serving.limits.bodies: found `5Mi`, expected at least `max_body`, which is 10Mi."),
        ("entry: score.py\n  cors: [https://a.b/c]", "serving.cors.0: found the text `https://a.b/c`, expected an origin of web pages"),
        ("entry: score.py\n  cors: [https://a.b/]", "Did you mean `https://a.b`?"),
        ("entry: score.py\npackaging: {compile: onnx}", "packaging.compile: found the text `onnx`, expected"),
    ],
)  # fmt: skip
def test_one_thing_answers(example: str, serving: str, expected: str) -> None:
    told = problems(re.sub(r"(?s)entry: score\.py.*?auth: key", lambda _: serving, example))
    assert len(told) == 1
    assert expected in told[0]


def test_a_model_says_by_itself_where_its_probability_is(example: str) -> None:
    text = example.replace("{metric: accuracy, min: 0.75}", "{metric: roc_auc, min: 80%}")
    spec = load_text(text.replace("entry: score.py", "model: ./models//model.joblib"))
    assert (spec.serving.model, spec.serving.place) == ("models/model.joblib", "serving.model")
    assert spec.packaging.compile == "auto"


def test_a_metric_must_be_one_of_the_task(example: str) -> None:
    told = problems(example.replace("evaluation:", "evaluation:\n  task: regression"))
    assert len(told) == 3
    assert "found the metric `accuracy`, expected a metric of regression." in told[0]


def test_probabilities_make_their_gates_decidable(example: str) -> None:
    text = example.replace("{metric: accuracy, min: 0.75}", "{metric: roc_auc, min: 80%}")
    spec = load_text(text.replace("evaluation:", "evaluation:\n  probability: probability"))
    assert spec.evaluation.gates[0].min == 0.8


FILES = [
    "data/passengers.csv",
    "schemas/passengers.yaml",
    "training.py",
    "requirements.txt",
    "score.py",
    "tests/functional.yaml",
]


@pytest.mark.parametrize("name", FILES)
def test_a_named_file_that_is_not_there(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(
        SpecError, match=f"found `{name}`, which does not exist, expected a file inside the workload's folder"
    ):
        load(folder / "loopwright.yaml")


def test_a_file_of_nearly_that_name_is_proposed(folder: Path) -> None:
    (folder / "score.py").rename(folder / "scores.py")
    with pytest.raises(SpecError, match=r"Did you mean `scores\.py`\?"):
        load(folder / "loopwright.yaml")


def test_a_missing_schema_file_says_how_it_is_made(folder: Path) -> None:
    (folder / "schemas/passengers.yaml").unlink()
    with pytest.raises(SpecError, match="`loopwright data infer` makes it"):
        load(folder / "loopwright.yaml")


def test_a_link_out_of_the_folder_and_a_ring_of_links(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    for name in ("score.py", "requirements.txt"):
        (folder / name).unlink()
    outside = tmp_path_factory.mktemp("outside") / "score.py"
    outside.touch()
    (folder / "score.py").symlink_to(outside)
    (folder / "requirements.txt").symlink_to(folder / "requirements.txt")
    with pytest.raises(SpecError, match="a link that leads out of the folder") as caught:
        load(folder / "loopwright.yaml")
    assert len(caught.value.problems) == 2
    assert "requirements.txt" in str(caught.value.problems[0])


def test_a_link_within_the_folder_is_a_file(folder: Path) -> None:
    (folder / "score.py").unlink()
    (folder / "score.py").symlink_to("training.py")
    assert load(folder / "loopwright.yaml").serving.entry == "score.py"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("data", "expected a file that ends in .csv or .parquet"),
        ("data/passengers.xlsx", "expected a file that ends in .csv or .parquet"),
        ("x" * 300 + ".csv", "which cannot be looked at (File name too long)"),
    ],
)
def test_a_source_that_cannot_be_one(folder: Path, example: str, name: str, expected: str) -> None:
    (folder / "loopwright.yaml").write_text(example.replace("data/passengers.csv", name))
    with pytest.raises(SpecError) as caught:
        load(folder / "loopwright.yaml")
    assert expected in caught.value.message


def test_a_folder_is_no_file(folder: Path, example: str) -> None:
    with pytest.raises(SpecError, match="found `data`, which is a folder"):
        load_text(example.replace("entry: score.py", "entry: data"), folder=folder)


def test_paths_are_given_in_one_form(example: str) -> None:
    spec = load_text(example.replace("tests/functional.yaml", "./tests//functional.yaml"))
    assert spec.tests.functional == "tests/functional.yaml"


def test_an_absolute_spec_path_and_a_relative_one(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    assert load(Path("loopwright.yaml")) == load(folder / "loopwright.yaml")


@pytest.mark.parametrize(
    ("dependencies", "expected"),
    [
        ("{python: '3.12'}", "training.dependencies: found no file of dependencies, expected `requirements: requirements.txt`"),
        ("{requirements: r.txt, conda: c.yml}", "training.dependencies.conda: found `requirements` and `conda` together, expected one of them."),
        ("{requirements: r.txt, extras: [gpu]}", "training.dependencies.extras: found extras with `requirements`, expected no extras"),
        ("{conda: c.yml, python: 3.12}", "training.dependencies.python: found `3.12`, expected a Python version in quotes"),
    ],
)  # fmt: skip
def test_dependencies_are_said_in_one_file(example: str, dependencies: str, expected: str) -> None:
    told = problems(example.replace("{requirements: requirements.txt}", dependencies))
    assert expected in told[0]
