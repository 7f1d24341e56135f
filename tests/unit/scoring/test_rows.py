"""A body is taken exactly if the law of the signature says so, however it is read."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from loopwright.scoring import rows as reading
from loopwright.scoring import tabular
from loopwright.scoring.refusals import InvalidInput, NotJson, Refusal
from loopwright.scoring.rows import Parser
from loopwright.scoring.settings import Input

_INPUTS = (
    Input(name="age", type="integer"),
    Input(name="fare", type="number", nullable=True),
    Input(name="port of call", type="string", categories=("S", "C")),
    Input(name="alone", type="boolean", nullable=True),
)
_PARSER = Parser(_INPUTS)
_ROW = {"age": 3, "fare": 7.5, "port of call": "S", "alone": True}


def _check(value: Any) -> None:
    _PARSER.json(json.dumps(value).encode())


@pytest.mark.parametrize(
    "body",
    [
        _ROW,
        [_ROW, _ROW],
        {"data": [_ROW]},
        {"data": [_ROW], "method": "predict"},
        {**_ROW, "data": {"unknown": 1}},
        [],
        {**_ROW, "age": 3.0},
        {**_ROW, "fare": 3},
        {**_ROW, "fare": None, "alone": None},
        {"age": 3, "port of call": "unseen"},
        {**_ROW, "unknown": [1, {}]},
        {**_ROW, "unknown": '"data"'},
        {**_ROW, "unknown": "\u00e9"},
        {**_ROW, "age": 2**63 - 1, "fare": 10**25},
    ],
)
def test_taken(body: Any) -> None:
    _check(body)


@pytest.mark.parametrize(
    ("body", "field", "row", "found", "expected"),
    [
        ({**_ROW, "age": "3"}, "age", 0, '"3" (string)', "an integer"),
        ({**_ROW, "age": 3.5}, "age", 0, "3.5 (number)", "an integer"),
        ({**_ROW, "age": 2**63}, "age", 0, "9223372036854775808 (integer beyond 64 bits)", "an integer"),
        ({**_ROW, "age": 1e30}, "age", 0, "1e+30 (number)", "an integer"),
        (
            {**_ROW, "fare": 10**400},
            "fare",
            0,
            "1" + "0" * 59 + "... (integer beyond 64 bits)",
            "a number or null",
        ),
        ({**_ROW, "age": True}, "age", 0, "true (boolean)", "an integer"),
        ({**_ROW, "age": None}, "age", 0, "null", "an integer"),
        ({"fare": 1}, "age", 0, "missing", "an integer"),
        ({**_ROW, "fare": False}, "fare", 0, "false (boolean)", "a number or null"),
        ({**_ROW, "alone": 0}, "alone", 0, "0 (integer)", "true or false or null"),
        ([_ROW, {**_ROW, "port of call": {}}], "port of call", 1, "an object", "a string"),
        ({"data": [_ROW, _ROW, 7]}, None, 2, "7 (integer)", "an object with the model's inputs"),
        ({"data": [_ROW, [3]]}, None, 1, "a list of 1 values", "4: age, fare, port of call, alone"),
        ([_ROW, None], None, 1, "null", "an object with the model's inputs"),
        ("text", None, None, '"text" (string)', 'an object, a list of objects, or {"data": [objects]}'),
        ({**_ROW, "age": "x" * 99}, "age", 0, '"' + "x" * 59 + "... (string)", "an integer"),
    ],
)
def test_refused(body: Any, field: str | None, row: int | None, found: str, expected: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        _check(body)
    assert caught.value.details == {"field": field, "row": row, "found": found, "expected": expected}
    assert expected in caught.value.message


@pytest.mark.parametrize(
    ("body", "where"),
    [
        (b'{"age":\n tru}', {"position": 9, "line": 2, "column": 2}),
        (b"[1, 2", {"position": 5, "line": 1, "column": 6}),
        (b"", {"position": 0, "line": 1, "column": 1}),
        (b"age=3", {"position": 0, "line": 1, "column": 1}),
        (b'{"age": NaN}', {}),
        (b'{"age": "\xff"}', {}),
        (b"[" * 100_000, {}),
    ],
)
def test_not_json(body: bytes, where: dict[str, int]) -> None:
    with pytest.raises(NotJson) as caught:
        _PARSER.json(body)
    assert caught.value.details == where


def test_numbers_beyond_a_float_are_refused() -> None:
    with pytest.raises(InvalidInput):
        _PARSER.json(b'{"age": 1, "port of call": "S", "fare": 1e999}')


def test_an_input_named_data_is_an_input() -> None:
    parser = Parser((Input(name="data", type="string"),))
    parser.json(b'{"data": "x"}')
    with pytest.raises(InvalidInput) as caught:
        parser.json(b'{"data": [{"data": "x"}]}')
    assert caught.value.details["field"] == "data"


@pytest.mark.parametrize("body", [b'{"data": [{"a": 1}]}', b'{"d\\u0061ta": [{"a": 1}]}'])
def test_wrapped_rows_are_seen_where_nothing_is_required(body: bytes) -> None:
    with pytest.raises(InvalidInput):
        Parser((Input(name="a", type="string", nullable=True),)).json(body)


_scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([2**63, -(2**63), 2.0**63, 1e30])
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=3)
)
_rows: st.SearchStrategy[dict[str, Any]] = st.dictionaries(
    st.sampled_from([one.name for one in _INPUTS] + ["data", "x"]), _scalars | st.just([]), max_size=6
)
_bodies = (
    _scalars
    | _rows
    | st.lists(_rows | _scalars, max_size=3)
    | st.fixed_dictionaries({"data": st.lists(_rows, max_size=2)})
)


def _lawful(body: Any) -> bool:
    """The contract once more, as short as can be."""
    if isinstance(body, dict) and isinstance(body.get("data"), list):
        body = body["data"]
    if isinstance(body, dict):
        columns = _columns(body)
        body = [body] if columns is None else columns
    return isinstance(body, list) and all(
        isinstance(row, dict) and all(map(_fits, _INPUTS, [row] * 4)) for row in body
    )


def _columns(body: dict[str, Any]) -> list[Any] | None:
    """As rows, or None where its first input is no column; a row that is none where columns differ in length."""
    own = {one.name: body[one.name] for one in _INPUTS if one.name in body}
    if not own or not isinstance(next(iter(own.values())), list):
        return None
    if not all(isinstance(column, list) for column in own.values()) or len(set(map(len, own.values()))) > 1:
        return [None]
    required = {one.name for one in _INPUTS if not one.nullable}
    return (
        [dict(zip(own, row, strict=True)) for row in zip(*own.values(), strict=True)]
        if required <= own.keys()
        else [None]
    )


def _fits(one: Input, row: dict[str, Any]) -> bool:
    value = row.get(one.name)
    if value is None:
        return one.nullable
    if isinstance(value, bool) or one.type == "boolean":
        return isinstance(value, bool) and one.type == "boolean"
    if one.type == "integer":
        return isinstance(value, int | float) and value == int(value) and -(2**63) <= value < 2**63
    return isinstance(value, {"number": int | float, "string": str}[one.type])


@given(_bodies)
@example({"age": 1, "port of call": "S", "data": []})
def test_the_quick_way_and_the_law_agree(body: Any) -> None:
    text = json.dumps(body).encode()
    try:
        _PARSER.json(text)
    except InvalidInput:
        assert not _lawful(body)
    else:
        assert _lawful(body)


@given(st.binary() | st.text().map(str.encode))
def test_any_bytes_are_taken_or_refused(body: bytes) -> None:
    with contextlib.suppress(NotJson, InvalidInput):
        _PARSER.json(body)


_ROWS = [(3, 7.5, "S", True), (4, None, "C", None)]


@pytest.mark.parametrize(
    "body",
    [
        {"data": [[3, 7.5, "S", True], [4, None, "C", None]]},
        {"columns": ["port of call", "age", "fare", "alone"], "data": [["S", 3, 7.5, True], ["C", 4, None, None]]},
        {"age": [3, 4], "fare": [7.5, None], "port of call": ["S", "C"], "alone": [True, None]},
        {"age": {"0": 3, "1": 4}, "fare": {"0": 7.5, "1": None}, "port of call": {"0": "S", "1": "C"},
         "alone": {"0": True, "1": None}},
        {"age": {"0": 3, "1": 4}, "fare": {"1": None, "0": 7.5}, "port of call": {"1": "C", "0": "S"},
         "alone": [True, None]},
    ],
)  # fmt: skip
def test_rows_come_in_many_forms(body: Any) -> None:
    parsed = _PARSER.json(json.dumps(body).encode())
    assert (parsed.rows, parsed.single) == (_ROWS, False)


def test_values_have_the_type_of_their_input() -> None:
    (row,) = _PARSER.json(b'{"age": 3.0, "fare": 7, "port of call": "S"}').rows
    assert [type(value) for value in row] == [int, float, str, type(None)]


@pytest.mark.parametrize(
    ("body", "field", "row"),
    [
        ({"age": [3, 4], "port of call": ["S"]}, "port of call", None),
        ({"age": [3]}, "port of call", None),
        ({"age": [3, "4"], "port of call": ["S", "S"]}, "age", 1),
        ({"age": [3], "port of call": "S"}, "port of call", None),
        ({"age": {"0": 3}, "port of call": {"1": "S"}}, "port of call", None),
        ({"columns": ["age"], "data": [[3, 4]]}, None, 0),
    ],
)
def test_columns_that_will_not_do_are_named(body: Any, field: str | None, row: int | None) -> None:
    with pytest.raises(InvalidInput) as caught:
        _PARSER.json(json.dumps(body).encode())
    assert (caught.value.details["field"], caught.value.details["row"]) == (field, row)


@pytest.mark.parametrize("body", [_ROW, [_ROW], {"data": [_ROW, [1, 2.0, "S", None]]}])
def test_further_fields_are_kept_where_they_are_asked_for(body: Any) -> None:
    body = json.loads(json.dumps(body).replace('"age": 3', '"age": 3, "customer": "c-1"'))
    parsed = Parser(_INPUTS, extra=("customer", "age", "customer")).json(json.dumps(body).encode())
    assert parsed.extra is not None
    assert parsed.extra[0] == ("c-1",)
    assert parsed.rows[0] == (3, 7.5, "S", True)


@pytest.mark.parametrize("customers", [[], ["c-1", "c-2"]])
def test_further_columns_are_as_long_as_the_others(customers: list[str]) -> None:
    body = {"age": [3], "port of call": ["S"], "customer": customers}
    with pytest.raises(InvalidInput) as caught:
        Parser(_INPUTS, extra=("customer",)).json(json.dumps(body).encode())
    assert caught.value.details["field"] == "customer"


def test_a_column_that_is_named_twice_is_refused() -> None:
    body = {"columns": ["age", "port of call", "age"], "data": [[3, "S", 4]]}
    with pytest.raises(
        InvalidInput, match="field 'age' is named twice in `columns`, expected each column once"
    ):
        _check(body)


@pytest.mark.parametrize(("text", "number"), [("-7", -7), ("+7", 7), ("7.0", 7), ("7e2", 700), ("007", 7)])
def test_csv_has_the_usual_numbers(text: str, number: int) -> None:
    assert tabular.rows(f"age,port of call\n{text},S".encode(), _PARSER).rows[0][0] == number


def test_further_columns_of_csv_are_kept_as_text() -> None:
    parsed = tabular.rows(
        b"age,port of call,customer\n3,S,7\n4,C,", Parser(_INPUTS, extra=("customer", "more"))
    )
    assert parsed.extra == [("7", None), (None, None)]


def test_csv_is_rows_too() -> None:
    body = b"\xef\xbb\xbfport of call,age,unknown,fare,alone\r\nS,3,x,7.5,true\n\n C ,4,,,\n"
    assert tabular.rows(body, _PARSER).rows == [(3, 7.5, "S", True), (4, None, " C ", None)]


@pytest.mark.parametrize(
    ("body", "field", "row"),
    [
        (b"", None, None),
        (b'age,port of call\n3,"S', None, None),
        (b"age,port of call\n3,S\nx,S", "age", 1),
        (b"age,port of call\n3", None, 0),
        (b"age,port of call\nnan,S", "age", 0),
        (b"port of call\nS", "age", 0),
        (b"age,port of call,age\n3,S,4", "age", None),
        *(
            (f"age,port of call\n{one},S".encode(), "age", 0)
            for one in ("1_0", " 1", "1 ", "\u0661", "+-1", "0x1", "9" * 5000)
        ),
        *(
            (f"age,port of call,fare\n3,S,{one}".encode(), "fare", 0)
            for one in ("1_0.5", " 1", "\u0661", "inf", "1e999")
        ),
        (b"age,port of call,alone\n3,S, true", "alone", 0),
    ],
)
def test_csv_that_will_not_do_is_refused(body: bytes, field: str | None, row: int | None) -> None:
    with pytest.raises(InvalidInput) as caught:
        tabular.rows(body, _PARSER)
    assert (caught.value.details["field"], caught.value.details["row"]) == (field, row)


_TEXTS = st.text() | st.sampled_from(['},{"x":1', '"},', "]}", '\\"},{'])
_LISTED = st.lists(
    st.fixed_dictionaries(
        {"x": st.integers(-9, 9), "s": _TEXTS}, optional={"more": st.just({"a": [{}, {"b": 1}], "c": 2})}
    )
)


def _either(read: Any, body: bytes) -> Any:
    try:
        parsed = read(body)
    except Refusal as refusal:
        return refusal.message
    return parsed.rows, parsed.single, parsed.plain, parsed.extra


@given(
    _LISTED, st.sampled_from(["%s", '{"data": %s}', ' {"data":%s} ', '{"data":%s,"k":[{}]}', '{"s":%s}']),
    st.sampled_from([(",", ":"), (", ", ": "), (" ,\n", ":")]), st.integers(0, 400), st.sampled_from([b"", b",", b"]", b"{}", b"}"]),
)  # fmt: skip
def test_a_large_body_is_read_piece_by_piece_as_it_is_whole(
    listed: Any, form: str, separators: tuple[str, str], at: int, mistake: bytes
) -> None:
    body = (form % json.dumps(listed, separators=separators)).encode()
    body = body[:at] + mistake + body[at:] if mistake else body
    inputs = [Input(name="x", type="integer"), Input(name="s", type="string")]
    for parser in (Parser(inputs), Parser(inputs, ["more"])):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(reading, "_PIECE", 20)
            assert _either(parser.large_json, body) == _either(parser.json, body)


def test_pieces_are_what_a_large_list_is_read_by() -> None:
    parser = Parser([Input(name="x", type="integer")])
    body = json.dumps([{"x": n, "more": {"a": 1}} for n in range(20_000)]).encode()
    listed = parser._inside_list(body)
    assert listed is not None
    assert parser._by_pieces(*listed) == [(n,) for n in range(20_000)]
