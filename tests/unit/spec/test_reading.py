from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loopwright.errors import SpecError
from loopwright.spec.loading import load_text, load_yaml
from loopwright.spec.reading import read_document


def refused(text: str) -> list[str]:
    """The problems of a text, whether it could be read on or not."""
    try:
        return [str(problem) for problem in read_document(text, "f.yaml").problems]
    except SpecError as error:
        return [str(problem) for problem in error.problems]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "f.yaml:1:1: found an empty file, expected fields with values."),
        ("# only words\n", "f.yaml:1:1: found an empty file"),
        ("~\n", "f.yaml:1:1: found an empty file"),
        ("a:\n\tb: 1\n", "f.yaml:2:1: found a tab, expected spaces."),
        ("a: |\n\tb\n", "f.yaml:2:1: found a tab, expected spaces."),
        (
            "a: 1\nb: 2\na: 3\n",
            "f.yaml:3:1: a: found the key `a` a second time, expected each key once. It stands in line 1",
        ),
        ("a: {b: 1,\n    b: 2}\n", "f.yaml:2:5: a.b: found the key `b` a second time"),
        ("a: &x 1\n", "f.yaml:1:4: a: found the anchor `&x`"),
        ("a: *x\n", "f.yaml:1:4: a: found the alias `*x`, expected the value itself."),
        ("a:\n  <<: {b: 1}\n", "f.yaml:2:3: a: found the merge key `<<`"),
        ("a: !!python/object:os.system x\n", "f.yaml:1:4: a: found the tag `!!python/object:os.system`"),
        ("? [1]\n: 2\n", "f.yaml:1:3: found a key that is not text"),
        ("a: 1\n---\nb: 2\n", "f.yaml:2:1: found a second document"),
        ("a: .nan\n", "f.yaml:1:4: a: found `.nan`, expected a finite number."),
        ("a: [1, 2\n", "f.yaml:2:1: found a list that does not end, expected `,` or `]`."),
        ("a: b: c\n", "f.yaml:1:5: found a `:` where no field can begin"),
        ("a: 'x\n", "found the end of the file within quotes"),
        ("a:\n  - b\n c: 1\n", "f.yaml:3:2: found something that is no field"),
        ("a: @b\n", "f.yaml:1:4: found a character that no value begins with"),
        ("é: 😀\nb: \x07\n", "f.yaml:2:4: found the control character U+0007"),
        ("a: \ud800\n", "f.yaml:1:4: found half of a surrogate pair"),
        ("%YAML 2.0\n---\na: 1\n", "f.yaml:1:1: found another version of YAML"),
    ],
)
def test_each_fault_is_one_problem_with_its_place(text: str, problem: str) -> None:
    problems = refused(text)
    assert len(problems) == 1
    assert problem in problems[0]


def test_every_duplicate_is_told() -> None:
    assert len(refused("a: 1\na: 2\nb: {c: 1, c: 2}\na: 3\n")) == 3


@pytest.mark.parametrize("text", ["[" * 200_000, "a: " + "{a: " * 60 + "1" + "}" * 60, "- " * 30_000])
def test_nesting_bombs_are_refused_and_do_not_crash(text: str) -> None:
    assert "50 levels of nesting" in refused(text)[0]


def test_alias_bombs_are_not_expanded() -> None:
    rows = ["a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    rows += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 12)]
    assert len(refused("\n".join(rows))) == 12 + 11 * 9


def test_keys_are_names_as_they_are_written() -> None:
    document = read_document("no: a\n1: b\nnull: c\ntrue: d\n", "f.yaml")
    assert document.value == {"no": "a", "1": "b", "null": "c", "true": "d"}


def test_places_of_values_and_keys() -> None:
    positions = read_document("a:\n  b:\n    - {c: 1}\n    - d: 3.10\n", "f.yaml").positions
    assert positions.at("a.b.1.d") == (4, 10)
    assert positions.key_at("a.b.1.d") == (4, 7)
    assert positions.at(("a", "b", 0, "c")) == (3, 11)
    assert positions.at("a.b.0.missing") == (3, 7)
    assert positions.at("a.missing.more") == (1, 1)
    assert positions.text("a.b.1.d") == "3.10"


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"a: 1\nb: \xff\n", "f.yaml:2:4: found the byte 0xff, which is not UTF-8"),
        ("a: 1".encode("utf-16"), "f.yaml:1:1: found the byte 0xff, which is not UTF-8"),
        (b"#" * (1024 * 1024 + 1), "f.yaml:1:1: found a file of more than 1 MiB"),
    ],
)
def test_files_that_are_no_text(tmp_path: Path, content: bytes, problem: str) -> None:
    (tmp_path / "f.yaml").write_bytes(content)
    with pytest.raises(SpecError, match=problem):
        load_yaml(tmp_path / "f.yaml")


def test_a_missing_file_and_a_folder(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="found no such file, expected a YAML file"):
        load_yaml(tmp_path / "f.yaml")
    with pytest.raises(SpecError, match="found a folder, expected a YAML file"):
        load_yaml(tmp_path)


def test_a_byte_order_mark_and_windows_line_ends_are_read(tmp_path: Path) -> None:
    (tmp_path / "f.yaml").write_bytes(b"\xef\xbb\xbfa: 1\r\nb: x\r\n")
    value, positions = load_yaml(tmp_path / "f.yaml")
    assert value == {"a": 1, "b": "x"}
    assert positions.at("b") == (2, 4)


def test_load_yaml_refuses_what_a_spec_is_refused_for(tmp_path: Path) -> None:
    (tmp_path / "f.yaml").write_text("a: 1\na: 2\n")
    with pytest.raises(SpecError, match=r"schema\.yaml:2:1: a: found the key `a` a second time"):
        load_yaml(tmp_path / "f.yaml", "schema.yaml")


_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text("ab: -'\"#é", max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text("abc.é", min_size=1, max_size=3), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(_JSON.filter(lambda value: value is not None))
@settings(deadline=None)
def test_json_is_read_as_json_reads_it(value: object) -> None:
    import json

    assert read_document(json.dumps(value), "f.yaml").value == value


def test_many_problems_are_told_in_a_short_message() -> None:
    bomb = "a: &a [x]\n" + "".join(f"b{n}: [{', '.join(['*a'] * 9)}]\n" for n in range(9))
    with pytest.raises(SpecError) as caught:
        load_text(bomb)
    assert len(caught.value.problems) > 80
    assert len(str(caught.value).splitlines()) == 21
    assert "more problems" in str(caught.value)
