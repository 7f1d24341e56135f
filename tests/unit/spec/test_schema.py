from __future__ import annotations

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loopwright.errors import SpecError
from loopwright.spec import json_schema, load_text
from loopwright.spec.reading import read_document

SCHEMA = json_schema()
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


def admits(text: str) -> bool:
    return VALIDATOR.is_valid(read_document(text, "f.yaml").value)


def test_it_is_a_schema_of_its_dialect() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_it_admits_the_example(example: str) -> None:
    VALIDATOR.validate(read_document(example, "f.yaml").value)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("timeout: 5s", "timeout: 5x"),
        ("timeout: 5s", "timeout: 0"),
        ("auth: key", "auth: Key"),
        ("auth: key", "ath: key"),
        ("label: survived, ", ""),
        ("workload: titanic", "workload: Titanic"),
        ("  passengers:", "  Passengers:"),
        ("test: 25%", "test: 100%"),
        ("nodes: 1", "nodes: '1'"),
        ("source: data/", "source: ../data/"),
        ("memory: 512Mi", "memory: 512m"),
        ("apiVersion: loopwright/v1", "apiVersion: loopwright/v2"),
        ("gates: [", "gates: [5, "),
        ("owner: data-team@example.com\n", "owner: ''\n"),
    ],
)
def test_it_refuses_what_the_loader_refuses(example: str, old: str, new: str) -> None:
    assert old in example
    text = example.replace(old, new, 1)
    assert not admits(text)
    with pytest.raises(SpecError):
        load_text(text)


_WORDS = st.sampled_from(
    [
        "0",
        "1",
        "-1",
        "0.5",
        "2",
        "true",
        "null",
        "5s",
        "1h",
        "70%",
        "500m",
        "1Gi",
        "x",
        "''",
        "[]",
        "{}",
        "a b",
        "'*.py'",
        "key",
        "none",
    ]
)


@given(data=st.data())
@settings(deadline=None, max_examples=100)
def test_what_the_loader_accepts_the_schema_accepts(data: st.DataObject) -> None:
    def value() -> str:
        return data.draw(_WORDS)

    def optional(name: str) -> str:
        return data.draw(st.sampled_from(["", f", {name}: {value()}"]))

    text = f"""
apiVersion: loopwright/v1
workload: {value()}
owner: {value()}
data: {{rows: {{source: {value()}, label: {value()}{optional("fresh_within")}{optional("owner")}{optional("schema")}}}}}
training: {{command: {value()}, dependencies: {{requirements: {value()}}}{optional("files")}}}
serving: {{entry: {value()}, limits: {{queue: {value()}{optional("queue_wait")}{optional("max_body")}}}{optional("auth")}{optional("thread_safe")}}}
evaluation: {{prediction: {value()}{optional("positive")}{optional("gates")}, probability: {value()}}}
environments: {{dev: {{}}, x: {{approval: none}}}}
"""
    try:
        load_text(text)
    except SpecError:
        return
    assert admits(text)
