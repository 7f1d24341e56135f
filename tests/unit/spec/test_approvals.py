"""The section `environments.NAME.approval`."""

from __future__ import annotations

import jsonschema
import pytest

from loopwright.errors import SpecError
from loopwright.spec import json_schema, load_text
from loopwright.spec.reading import read_document

OLD = "approval: required"


@pytest.mark.parametrize(
    ("written", "count", "plain"),
    [("none", 0, True), ("required", 1, True), ("{count: 2}", 2, False), ("{by: [ada, '@ops']}", 1, False),
     ("{not_author: true}", 1, False), ("{expires: 1d}", 1, True), ("{count: 3, by: ['@ops']}", 3, False)],
)  # fmt: skip
def test_short_and_long_forms(example: str, written: str, count: int, plain: bool) -> None:
    text = example.replace(OLD, f"approval: {written}")
    approval = load_text(text).environments["prod"].approval
    assert (approval.count, approval.plain) == (count, plain)
    jsonschema.Draft202012Validator(json_schema()).validate(read_document(text, "f").value)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("maybe", "approval: found the text `maybe`, expected `none`, `required`, or fields such as {count: 2, not_author: true}."),
        ("2", "expected `none`, `required`, or fields"),
        ("null", "approval: found nothing, expected `none`, `required`"),
        ("{count: 3, by: [ada, bob]}", "approval.count: found 3, expected at most 2, as `by` names no more people."),
        ("{count: -1}", "approval.count: found `-1`, expected a number of at least 0."),
        ("{expires: 0}", "approval.expires: found `0`, expected a duration above 0"),
        ("{from: [ada]}", "approval.from: found the unknown field `from`"),
    ],
)  # fmt: skip
def test_wrong_values_are_told_where_they_stand(example: str, written: str, expected: str) -> None:
    text = example.replace(OLD, f"approval: {written}")
    line = 1 + text[: text.index("approval: ")].count("\n")
    with pytest.raises(SpecError) as caught:
        load_text(text, "f.yaml")
    assert len(caught.value.problems) == 1
    assert str(caught.value.problems[0]).startswith(f"f.yaml:{line}:")
    assert expected in str(caught.value.problems[0])
