import json

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loopwright.packaging.served import Served
from loopwright.packaging.signature import describe, render
from loopwright.scoring import Input, ModelFile, Output

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=3),
    lambda part: st.lists(part, max_size=4) | st.dictionaries(st.text(max_size=3), part, max_size=4),
    max_leaves=12,
)


@pytest.mark.parametrize(
    ("value", "described"),
    [
        (True, {"type": "boolean"}),
        (1, {"type": "integer"}),
        (1.0, {"type": "number"}),
        ("x", {"type": "string"}),
        (None, {}),
        ([], {"type": "array"}),
        ([1, 2], {"type": "array", "items": {"type": "integer"}}),
        ([1, "x"], {"type": "array"}),
        ({"p": 0.5}, {"type": "object", "properties": {"p": {"type": "number"}}, "required": ["p"]}),
    ],
)
def test_a_value_is_described_by_its_type(value, described):
    assert describe(value) == described


@given(JSON)
def test_every_answer_meets_its_own_description(value):
    jsonschema.validate(value, describe(value))


def test_the_signature_has_inputs_output_and_an_example():
    content = json.loads(
        render([Input(name="a", type="number", nullable=True)], {"a": None}, {"prediction": 1})
    )
    assert content == {
        "inputs": [{"name": "a", "type": "number", "nullable": True, "categories": None}],
        "output": {
            "type": "object",
            "properties": {"prediction": {"type": "integer"}},
            "required": ["prediction"],
        },
        "example": {"request": {"a": None}, "response": {"prediction": 1}},
    }


def test_which_file_answers_is_part_of_what_a_package_does():
    outputs = (Output(name="prediction", type="integer"),)
    one, other = (
        render([], {}, {"prediction": 1}, Served(ModelFile(path=path, flavor="sklearn"), outputs))
        for path in ("a.joblib", "b.joblib")
    )
    assert one != other
    assert json.loads(one)["outputs"] == [{"name": "prediction", "type": "integer"}]
