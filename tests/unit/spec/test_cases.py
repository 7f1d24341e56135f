from __future__ import annotations

from pathlib import Path

import pytest

from loopwright.errors import SpecError
from loopwright.spec import CasesFile, parse


def read(tmp_path: Path, text: str) -> CasesFile:
    (tmp_path / "functional.yaml").write_text(text)
    return parse(CasesFile, tmp_path / "functional.yaml", "functional.yaml")


def case(rest: str) -> str:
    return f"cases:\n  - {{name: a, {rest}}}\n"


def test_the_example(folder: Path) -> None:
    cases = parse(CasesFile, folder / "tests/functional.yaml").cases
    assert cases[0].expect.values["probability"] == {"min": 0.5, "max": 1}
    assert cases[0].expect.max_time == 1.0
    assert [one.expect.checks_answer for one in cases] == [True, False]


def test_a_dump_has_the_form_of_the_file(tmp_path: Path) -> None:
    file = read(
        tmp_path, case("request: null, expect: {values: {a.0: x, b: {one_of: [1, 2]}, c: {equals: {d: 1}}}}")
    )
    dumped = file.model_dump(mode="json", by_alias=True)["cases"][0]
    assert dumped["request"] is None
    assert "request_text" not in dumped
    assert dumped["expect"]["values"] == {"a.0": "x", "b": {"one_of": [1, 2]}, "c": {"equals": {"d": 1}}}
    assert CasesFile.model_validate({"cases": [dumped]}) == file


@pytest.mark.parametrize(
    ("rest", "expected"),
    [
        ("expect: {status: 200}", "functional.yaml:2:5: cases.0: found a case with neither `request` nor `request_text`, expected one of them."),
        ("request: 1, request_text: x", "found a case with both `request` and `request_text`"),
        ("request: 1, expect: {status: 99}", "cases.0.expect.status: found `99`, expected a number of at least 100."),
        ("request: 1, expect: {code: 200}", "cases.0.expect.code: found the unknown field `code`"),
        ("request: 1, expect: {values: {a.b: {minimum: 1}}}", "cases.0.expect.values.a.b: found a mapping of fields, expected a value, or one of"),
        ("request: 1, expect: {values: {a: {mni: 1}}}", "It has `mni`. Did you mean `min`?"),
        ("request: 1, expect: {values: {a: {b: 1}}}", "To expect a mapping, write `{equals: {...}}`."),
        ("request: 1, expect: {values: {a: {min: 2, max: 1}}}", "Its `min` is above its `max`."),
        ("request: 1, expect: {values: {a: {min: x}}}", "Its `min` is the text `x`."),
        ("request: 1, expect: {values: {a: {equals: 1, min: 1}}}", "It has `equals` and `min` together."),
        ("request: 1, expect: {values: {a: {one_of: []}}}", "Its `one_of` is a list."),
        ("request: 1, expect: {max_time: soon}", "cases.0.expect.max_time: found the text `soon`, expected a duration"),
        ("request: 1, content_type: \"a\\nb\"", "cases.0.content_type: found the text `a\\nb`, expected the value of a header"),
    ],
)  # fmt: skip
def test_a_wrong_case_says_where(tmp_path: Path, rest: str, expected: str) -> None:
    with pytest.raises(SpecError) as caught:
        read(tmp_path, case(rest))
    assert len(caught.value.problems) == 1
    assert expected in caught.value.message


def test_no_cases_and_equal_names(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"cases: found no entries, expected at least 1 \(all must pass\)"):
        read(tmp_path, "cases: []\n")
    with pytest.raises(
        SpecError,
        match=r":3:12: cases\.1\.name: found the name `a` a second time, expected a name of its own",
    ) as caught:
        read(tmp_path, case("request: 1") + "  - {name: a, request: 2}\n")
    assert len(caught.value.problems) == 1
