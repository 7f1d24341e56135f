"""Rows: what a request's body says, as tuples of values in the order of the model's inputs.

One representation for every protocol and every scorer. A value is an int for an integer, a float for a number, a str, a
bool, or None where it is missing. `Parser` reads JSON at the speed of C where the body is as most are, and by the law of
`validation` where it is not, so that what is wrong is said exactly; other protocols hand it records or columns.

    {"age": 3}                                  one row
    [{"age": 3}, {"age": 4}]                    rows
    {"data": [{"age": 3}]}  {"data": [[3]]}     rows, by name or in the order of the inputs
    {"columns": ["age"], "data": [[3], [4]]}    rows, as pandas' to_json(orient="split") has them
    {"age": [3, 4]}  {"age": {"0": 3, "1": 4}}  columns, the latter as pandas' to_json() has them
    CSV with a header                           rows; an empty field is a missing value
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import repeat
from typing import Any

import msgspec

from loopwright.scoring.aside import breathe
from loopwright.scoring.refusals import InvalidInput
from loopwright.scoring.settings import Input
from loopwright.scoring.validation import Law, decode, found, row_type

Row = tuple[Any, ...]
_SPACE = b" \t\r\n"
_PIECE = 128 * 1024  # bytes of JSON that are read at once where there are more; about a millisecond
_TRIES = 8  # places at which a piece may end
_LIST = re.compile(rb'[ \t\r\n]*(\{[ \t\r\n]*"data"[ \t\r\n]*:[ \t\r\n]*)?\[')
_LIST_END = re.compile(rb"\][ \t\r\n]*(\}[ \t\r\n]*)?\Z")
_LONGEST_END = 100
_EXPECTED = 'an object, a list of objects, or {"data": [objects]}'


class Parsed(msgspec.Struct, gc=False):
    """What a body says."""

    rows: list[Row]
    single: bool = False  # one object, not a list: so is its answer
    plain: bool = True  # whether a script that takes objects can be given the body as it came
    extra: list[Row] | None = None  # of each row the further fields that were asked for


class Parser:
    """Reads rows of `inputs`, and of `extra` fields whatever they hold; raises NotJson or InvalidInput.

    Unknown fields and categories pass.
    """

    def __init__(self, inputs: Sequence[Input], extra: Sequence[str] = ()) -> None:
        self.inputs = tuple(inputs)
        self._names = [one.name for one in inputs]
        self.extra = tuple(name for name in dict.fromkeys(extra) if name not in self._names)
        self._law = Law(inputs)
        self._may_wrap = "data" not in self._names
        row = row_type(inputs, self.extra)
        self._one: msgspec.json.Decoder[Any] = msgspec.json.Decoder(row)
        self._many: msgspec.json.Decoder[Any] = msgspec.json.Decoder(list[row])  # type: ignore[valid-type]
        wrapped = msgspec.defstruct("Wrapped", [("data", list[row])])  # type: ignore[valid-type]
        self._wrapped: msgspec.json.Decoder[Any] = msgspec.json.Decoder(wrapped)

    def json(self, body: bytes) -> Parsed:
        """The rows of a JSON body."""
        try:
            parsed = self._quick(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return self.value(decode(body))
        if self.extra:
            self._part(parsed)
        return parsed

    def large_json(self, body: bytes) -> Parsed:
        """The same of a large one, for a thread: other threads have their turn between its pieces."""
        listed = self._inside_list(body)
        rows = None if listed is None else self._by_pieces(*listed)
        if rows is None:
            return self.json(body)
        parsed = Parsed(rows)
        if self.extra:
            self._part(parsed)
        return parsed

    def value(self, value: object) -> Parsed:
        """The rows of JSON that is read already."""
        if isinstance(value, list):
            return self._listed(value)
        if not isinstance(value, dict):
            raise InvalidInput(None, None, found(value), _EXPECTED)
        data = value.get("data") if self._may_wrap else None
        if isinstance(data, list):
            names = value.get("columns")
            if isinstance(names, list) and "columns" not in self._names:
                return self._split(names, data)
            return self._listed(data)
        first = next((value[name] for name in self._names if name in value), None)
        if isinstance(first, list | dict):
            return self._columnar(value)
        return Parsed([self._law.row(0, value)], True, True, self._further([value]))

    def records(self, records: Iterable[object]) -> list[Row]:
        """Rows from objects, or from lists of values in the order of the inputs."""
        return [self._row(number, record) for number, record in enumerate(records)]

    def table(self, records: Iterable[object]) -> Parsed:
        """`records`, and of objects their further fields."""
        if self.extra:
            records = [*records]
        return Parsed(self.records(records), False, False, self._further(records))

    def columnar(self, columns: Mapping[str, Sequence[object]]) -> Parsed:
        """`columns`, and the further ones that were asked for."""
        rows = self.columns(columns)
        for name in self.extra:
            if name in columns and len(columns[name]) != len(rows):
                counted = f"a column of {len(columns[name])} values"
                raise InvalidInput(name, None, counted, f"{len(rows)}, as many as in another column")
        blank = [None] * len(rows)
        extra = [columns.get(name, blank) for name in self.extra]
        return Parsed(rows, False, False, [*zip(*extra, strict=False)] if extra else None)

    def columns(self, columns: Mapping[str, Sequence[object]]) -> list[Row]:
        """Rows from columns of equal length; an input whose column is not there must be nullable."""
        lengths = {name: len(columns[name]) for name in self._names if name in columns}
        count = max(lengths.values(), default=0)
        for name, length in lengths.items():
            if length != count:
                raise InvalidInput(
                    name, None, f"a column of {length} values", f"{count}, as many as in another column"
                )
        absent = [one for one in self.inputs if one.name not in columns]
        for one in absent:
            if not one.nullable:
                raise InvalidInput(one.name, None, "missing", self._law.expected(one.name))
        values = [columns[name] if name in columns else repeat(None, count) for name in self._names]
        return [self._law.values(number, row) for number, row in enumerate(zip(*values, strict=False))]

    def _quick(self, body: bytes) -> Parsed:
        if body[:1] == b"{" or body.lstrip(_SPACE)[:1] != b"[":
            if self._may_wrap and (
                b'"data"' in body or b"\\u00" in body
            ):  # the key may be spelt with escapes
                return Parsed([*map(msgspec.structs.astuple, self._wrapped.decode(body).data)])
            return Parsed([msgspec.structs.astuple(self._one.decode(body))], True)
        return Parsed([*map(msgspec.structs.astuple, self._many.decode(body))])

    def _inside_list(self, body: bytes) -> tuple[bytes, int, int] | None:
        """The body, and where in it the inside of its list of objects begins and ends; None where it is another form."""
        begin, end = _LIST.match(body), _LIST_END.search(body, max(0, len(body) - _LONGEST_END))
        if (
            begin is None
            or end is None
            or bool(begin[1]) != bool(end[1])
            or (begin[1] and not self._may_wrap)
        ):
            return None
        return body, begin.end(), end.start()

    def _by_pieces(self, body: bytes, at: int, end: int) -> list[Row] | None:
        """The rows of a list of objects, read piece by piece; None where it cannot be, or something is wrong in it.

        A piece ends where an object is followed by a comma. Whether that is one of the list's own objects shows by itself: cut
        inside a text or an inner object, the piece is no JSON.
        """
        rows: list[Row] = []
        while end - at > _PIECE:
            cut, found = at + _PIECE, None
            for _ in range(_TRIES):
                cut = body.find(b"},", cut, end) + 1
                if not cut:
                    break
                if (found := self._piece(body, at, cut)) is not None:
                    break
            if found is None:
                return None
            rows += found
            at = cut + 1
            breathe()
        last = self._piece(body, at, end)
        return rows + last if last else None

    def _piece(self, body: bytes, at: int, end: int) -> list[Row] | None:
        try:
            return [*map(msgspec.structs.astuple, self._many.decode(b"[%b]" % body[at:end]))]
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None

    def _part(self, parsed: Parsed) -> None:
        count = len(self._names)
        parsed.extra = [row[count:] for row in parsed.rows]
        parsed.rows = [row[:count] for row in parsed.rows]

    def _listed(self, values: list[Any]) -> Parsed:
        return Parsed(self.records(values), False, True, self._further(values))

    def _split(self, names: list[Any], data: list[Any]) -> Parsed:
        twice = repeated(map(str, names))
        if twice is not None:
            raise InvalidInput(twice, None, "named twice in `columns`", "each column once")
        for number, values in enumerate(data):
            if not isinstance(values, list) or len(values) != len(names):
                raise InvalidInput(
                    None, number, found(values), f"a list of {len(names)} values, as `columns` names"
                )
        rows = [dict(zip(map(str, names), values, strict=True)) for values in data]
        return self.table(rows)

    def _columnar(self, value: dict[str, Any]) -> Parsed:
        given = {name: value[name] for name in (*self._names, *self.extra) if name in value}
        index: dict[str, Any] = next((one for one in given.values() if isinstance(one, dict)), {})
        columns = {name: _in_order(name, column, index) for name, column in given.items()}
        return self.columnar(columns)

    def _row(self, number: int, record: object) -> Row:
        if isinstance(record, dict):
            return self._law.row(number, record)
        if isinstance(record, list | tuple):
            if len(record) != len(self._names):
                counted = f"a list of {len(record)} values"
                raise InvalidInput(None, number, counted, f"{len(self._names)}: {', '.join(self._names)}")
            return self._law.values(number, record)
        raise InvalidInput(None, number, found(record), "an object with the model's inputs")

    def _further(self, rows: Iterable[object]) -> list[Row] | None:
        if not self.extra:
            return None
        objects = [row if isinstance(row, dict) else {} for row in rows]
        return [tuple(row.get(name) for name in self.extra) for row in objects]


def repeated(names: Iterable[str]) -> str | None:
    """The first name that is there a second time."""
    seen: set[str] = set()
    for name in names:
        if name in seen:
            return name
        seen.add(name)
    return None


def _in_order(name: str, column: object, index: Mapping[str, object]) -> list[Any]:
    """A column as a list; where its values have keys, those say which values are of one row."""
    if isinstance(column, list):
        return column
    if not isinstance(column, dict):
        raise InvalidInput(name, None, found(column), "a list of values, as the first column is")
    if column.keys() != index.keys():
        raise InvalidInput(name, None, "a column with other keys", "those of the first column")
    return [column[key] for key in index]
