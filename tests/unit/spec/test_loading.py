from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from loopwright.errors import Problem, SpecError
from loopwright.spec import (
    Workload,
    load,
    load_for_inference,
    load_stored,
    load_text,
    load_with_positions,
    parse,
)

EXAMPLE = (
    Path(__file__).with_name("conftest.py").read_text().partition('EXAMPLE = """\\\n')[2].partition('"""')[0]
)


def problems(text: str) -> list[str]:
    with pytest.raises(SpecError) as caught:
        load_text(text, "f.yaml")
    return [str(problem) for problem in caught.value.problems]


def test_the_example(folder: Path) -> None:
    spec = load(folder / "loopwright.yaml")
    assert spec.data["passengers"].fresh_within == 30 * 86_400
    assert spec.data["passengers"].split.test == 0.25
    assert spec.training.compute.memory == 2**30
    assert [gate.min_versus_champion for gate in spec.evaluation.gates] == [None, -0.01, None]
    assert spec.serving.resources.cpu == 0.5
    assert spec.tests.stress is not None
    assert spec.tests.stress.p99 == 0.25
    assert list(spec.environments) == ["dev", "prod"]


def test_places_of_the_example(folder: Path) -> None:
    _, positions = load_with_positions(folder / "loopwright.yaml")
    assert positions.file == str(folder / "loopwright.yaml")
    assert positions.at("data.passengers.label") == (6, 52)
    assert positions.at("serving.limits.max_body") == (18, 3)  # not stated: where it would stand
    problem = positions.problem("data.passengers.label", "`survived`", "a column of the CSV")
    assert str(problem).startswith(
        f"{folder}/loopwright.yaml:6:52: data.passengers.label: found `survived`, expected a column"
    )


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("timeout: 5s", "timeout: 5x", "f.yaml:18:64: serving.limits.timeout: found the text `5x`, expected a duration above 0"),
        ("queue: 64", "queue: -1", "f.yaml:18:35: serving.limits.queue: found `-1`, expected a number of at least 0."),
        ("queue: 64", "queue: '64'", "found the text `64`, expected a whole number. Remove the quotes."),
        ("queue: 64", "queue: 6.5", "found `6.5`, expected a whole number."),
        ("queue: 64", "queue: ~", "serving.limits.queue: found nothing, expected a whole number."),
        ("entry: score.py", "entri: score.py", "f.yaml:16:3: serving.entri: found the unknown field `entri`"),
        ("entry: score.py", "entri: score.py", "Did you mean `entry`?"),
        ("  auth: key", "  maxDuration: 1s", "It belongs in `training.compute`."),
        ("  auth: key", "  thread_safe: yes", "f.yaml:20:16: serving.thread_safe: found the text `yes`, expected `true` or `false`. Did you mean `true`?"),
        ("  auth: key", "  auth: Token", "f.yaml:20:9: serving.auth: found the text `Token`, expected `key` or `none`."),
        ("label: survived, ", "", "f.yaml:6:3: data.passengers.label: found nothing, expected the field `label`: the column to predict."),
        ("workload: titanic", "workload: Titanic 2", "Did you mean `titanic-2`?"),
        ("  dev:", "  Dev:", "f.yaml:23:3: environments.Dev: found the text `Dev`, expected a name of at most 40"),
        ("owner: data-team@example.com\ndesc", "owner: 12\ndesc", "f.yaml:3:8: owner: found `12`, expected text. Put it into quotes."),
        ("requirements.txt}", "requirements.txt, python: 3.10}", "found `3.10`, expected a Python version in quotes"),
        ("  dev: {engine: local}", "  dev: local", "f.yaml:23:8: environments.dev: found the text `local`, expected fields with values."),
        ("  dev: {engine: local}", "  dev: {engine: kubernetes}", "environments.dev.engine: found the text `kubernetes`, expected `local`."),
        ("  dev: {engine: local}\n  prod: {engine: local, approval: required}", "  {}", "environments: found no entries, expected at least 1"),
        ("metric: accuracy, slice", "metric: acuracy, slice", "evaluation.gates.2.metric: found the text `acuracy`, expected `accuracy`, `precision`"),
        ("source: data/passengers.csv", "source: /data/passengers.csv", "data.passengers.source: found the text `/data/passengers.csv`, expected a path inside"),
        ("source: data/passengers.csv", "source: ../passengers.csv", "found the text `../passengers.csv`, expected a path inside"),
        ("min: 2, max: 4", "min: 5, max: 4", "f.yaml:17:19: serving.replicas.min: found at least 5 replicas, expected at most `max`, which is 4."),
        ("min: 2, max: 4", "min: 5", "which is 2 where it is not given."),
    ],
)  # fmt: skip
def test_a_wrong_value_says_where_what_was_found_and_what_is_expected(
    old: str, new: str, expected: str
) -> None:
    assert old in EXAMPLE
    told = problems(EXAMPLE.replace(old, new, 1))
    assert len(told) == 1
    assert expected in told[0]


def test_all_problems_at_once_in_the_order_of_the_file() -> None:
    text = EXAMPLE.replace("titanic\n", "Titanic\n", 1).replace("{outputs}", "{output}").replace("5s", "5x")
    told = problems(text.replace("environments:", "auth: key\nauth: key\nenvironments:"))
    assert [line.split(":")[1] for line in told] == ["2", "9", "18", "22", "23"]


def test_a_field_stated_wrongly_is_not_also_missing() -> None:
    assert len(problems(EXAMPLE.replace("command:", "comand:"))) == 1


@pytest.mark.parametrize("text", ["- a\n- b\n", "words\n", "12\n"])
def test_what_is_no_mapping_is_one_problem(text: str) -> None:
    assert problems(text)[0].endswith("expected fields with values.")
    assert len(problems(text)) == 1


def test_a_stored_spec_is_read_without_its_files(tmp_path: Path, example: str) -> None:
    (tmp_path / "3fa9").write_text(example)
    assert load_stored(tmp_path / "3fa9").workload == "titanic"
    with pytest.raises(SpecError, match="which does not exist"):
        load(tmp_path / "3fa9")


def test_for_inference_schema_files_may_be_absent_and_no_others(folder: Path) -> None:
    (folder / "schemas/passengers.yaml").unlink()
    assert load_for_inference(folder / "loopwright.yaml").workload == "titanic"
    (folder / "score.py").unlink()
    with pytest.raises(SpecError, match=r"serving\.entry: found `score\.py`, which does not exist"):
        load_for_inference(folder / "loopwright.yaml")


def test_parse_tells_as_load_does_and_by_the_name_given(tmp_path: Path) -> None:
    class Column(BaseModel):
        width: int

    (tmp_path / "c.yaml").write_text("width: wide\n")
    with pytest.raises(
        SpecError,
        match=r"^columns\.yaml:1:8: width: found the text `wide`, expected a whole number\.$",
    ):
        parse(Column, tmp_path / "c.yaml", "columns.yaml")


def test_a_workload_is_frozen_and_compared_by_value(example: str) -> None:
    spec = load_text(example)
    assert spec == load_text(example)
    with pytest.raises(ValueError, match="frozen"):
        spec.serving.auth = "none"  # type: ignore[misc]


def test_a_dump_is_read_as_the_same_workload(example: str) -> None:
    spec = load_text(example)
    assert Workload.model_validate(spec.model_dump(mode="json", by_alias=True)) == spec


_RAW = re.compile(r"Input should|pydantic|validation error|<class|object at 0x|Traceback|NoneType")
_PIECES = st.sampled_from(
    [
        "\t",
        "{",
        "}",
        "[",
        "]",
        ": ",
        "- ",
        "&a ",
        "*a",
        "!!x ",
        "'",
        '"',
        "\n",
        "~",
        "1e999",
        "-1",
        "yes",
        "5s",
        "é",
        "\x00",
        "..",
        "? ",
        "---\n",
    ]
)
_EDIT = st.tuples(st.integers(0, len(EXAMPLE)), st.integers(0, 12), _PIECES | st.text(max_size=3))


def _only_spec_errors(text: str, folder: Path | None = None) -> None:
    told: tuple[Problem, ...] = ()
    try:
        load_text(text, folder=folder)
    except SpecError as error:
        told = error.problems or (Problem("", 0, 0, "", "", ""),)
    assert all(
        problem.line > 0 and problem.column > 0 and problem.found and problem.expected for problem in told
    )
    assert not any(_RAW.search(str(problem)) for problem in told)


@given(edits=st.lists(_EDIT, min_size=1, max_size=4))
@settings(deadline=None, max_examples=150)
def test_no_edit_of_the_example_raises_anything_but_a_spec_error(edits: list[tuple[int, int, str]]) -> None:
    text = EXAMPLE
    for start, length, piece in edits:
        text = text[:start] + piece + text[start + length :]
    _only_spec_errors(text, Path(__file__).parent)


@given(st.text() | st.text("[]{}:-,'\"#&*!|>%@` \nabc0", max_size=40))
@settings(deadline=None)
def test_no_text_raises_anything_but_a_spec_error(text: str) -> None:
    _only_spec_errors(text)


@given(st.binary(max_size=60))
@settings(deadline=None)
def test_no_file_raises_anything_but_a_spec_error(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path = tmp_path_factory.mktemp("any") / "f.yaml"
    path.write_bytes(content)
    with pytest.raises(SpecError):
        load(path)
