"""Bodies and messages of every protocol for `any_kind`'s model, from right to wrong: what hypothesis asks replicas with.

Random bytes seldom get past the first reader, so most bodies here are made from rows that are nearly right, written as one
of the protocols writes them, and then perhaps damaged.
"""

from __future__ import annotations

import csv
import io
import json
import struct
from typing import Any, NamedTuple
from urllib.parse import urlencode

from any_kind import INPUTS
from hypothesis import strategies as st

NAMES = [one["name"] for one in INPUTS]
JSON, CSV = "application/json", "text/csv"
SCORE, INVOCATIONS, FEEDBACK = "/score", "/invocations", "/feedback"
INFER = ("/v2/models/w/infer", "/v2/models/w/versions/3/infer")
ALL = (SCORE, INVOCATIONS, FEEDBACK, *INFER)
KINDS = (JSON, CSV, "application/octet-stream", "text/plain; charset=utf-8", "x/y", "", ";")
FORMATS = {
    "INT8": "b", "INT16": "h", "INT32": "i", "INT64": "q", "UINT8": "B", "UINT16": "H", "UINT32": "I", "UINT64": "Q",
    "FP16": "e", "FP32": "f", "FP64": "d", "BOOL": "?",
}  # fmt: skip
DATATYPES = (*FORMATS, "BYTES", "BF16", "", "?")


class Asked(NamedTuple):
    """One request."""

    method: str
    path: str
    body: bytes = b""
    kind: str = JSON
    length: str | None = None  # Inference-Header-Content-Length


scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(
        [2**63, 2**64, -(2**63), 1e400, 1e300, -1e39, 3.5e38, 5e-324, "", "NaN", "1_0", "é" * 40, "\ud800"]
    )
)
_words = st.sampled_from(
    [*NAMES, "data", "columns", "inputs", "instances", "dataframe_split", "dataframe_records", "name", "shape",
     "datatype", "parameters", "outputs", "id", "params", "index", "binary_data_size", "labels", "prediction"]
)  # fmt: skip
values = st.recursive(
    scalars | st.sampled_from(DATATYPES),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_words, inner, max_size=6),
    max_leaves=12,
)
_right = {
    "integer": st.integers(-(2**63), 2**63 - 1) | st.integers(0, 99),
    "number": st.floats(allow_nan=False, allow_infinity=False) | st.floats(0, 99),
    "string": st.text(max_size=8) | st.sampled_from("SCQ"),
    "boolean": st.booleans(),
}
_right_row = st.fixed_dictionaries(
    {
        one["name"]: _right[one["type"]] | st.none() if one.get("nullable") else _right[one["type"]]
        for one in INPUTS
    },
    optional={"extra": values, 'Extra column, "quoted"': scalars},
)
row = _right_row | st.fixed_dictionaries({}, optional=dict.fromkeys(NAMES, scalars))
_right_rows = st.lists(_right_row, max_size=5)
rows = _right_rows | st.lists(row, max_size=5)


@st.composite
def tables(draw: st.DrawFn) -> dict[str, Any]:
    """{"columns": ..., "data": ...}, perhaps with a name twice or a row too short."""
    found = draw(rows)
    names = draw(st.permutations(NAMES) | st.lists(_words, max_size=6))
    data = [[one.get(name) for name in names] for one in found]
    if data and draw(st.integers(0, 9)) == 0:
        data[-1] = data[-1][:-1]
    return {"columns": names, "data": data}


@st.composite
def columns(draw: st.DrawFn) -> dict[str, Any]:
    """{"age": [...], ...}, or with an index as pandas writes it, perhaps of unequal length."""
    found = draw(rows)
    names = draw(st.just(NAMES) | st.lists(_words, max_size=6, unique=True))
    made: dict[str, Any] = {name: [one.get(name) for one in found] for name in names}
    if draw(st.booleans()):
        made = {name: dict(enumerate(column)) for name, column in made.items()}
    elif made and draw(st.integers(0, 9)) == 0:
        made[names[0]] = draw(st.lists(scalars, max_size=3))
    return made


def dumped(value: Any) -> bytes:
    return json.dumps(value).encode()


def as_json(content: st.SearchStrategy[Any], *paths: str) -> st.SearchStrategy[Asked]:
    return st.builds(lambda path, value: Asked("POST", path, dumped(value)), st.sampled_from(paths), content)


@st.composite
def csvs(draw: st.DrawFn) -> Asked:
    found = draw(tables())
    text = io.StringIO()
    writer = csv.writer(text, delimiter=draw(st.sampled_from(",,,,;")))
    writer.writerow(found["columns"])
    writer.writerows(found["data"])
    body = text.getvalue().encode(draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16"])), "replace")
    return Asked("POST", draw(st.sampled_from((SCORE, INVOCATIONS))), body, draw(st.sampled_from(KINDS[:2])))


def _query(given: dict[str, Any]) -> str:
    return urlencode({name: json.dumps(value) for name, value in given.items()}, errors="replace")


queries = st.builds(
    lambda query: Asked("GET", f"{SCORE}?{query}"), row.map(_query) | st.just("age=1&age=2&%")
)
_frames = st.one_of(
    st.fixed_dictionaries({"dataframe_split": tables() | values}),
    st.fixed_dictionaries({"dataframe_records": rows | values}),
    st.fixed_dictionaries({"inputs": columns() | tables().map(lambda one: one["data"]) | values}),
    st.fixed_dictionaries(
        {"instances": rows | tables().map(lambda one: one["data"]) | values}, optional={"params": values}
    ),
)


class Tensor(NamedTuple):
    """A tensor for REST or gRPC to write."""

    name: str
    datatype: str
    shape: list[int]
    values: list[Any]


def _packed(tensor: Tensor) -> bytes:
    """Its elements in binary as far as they can be, else something else."""
    try:
        if tensor.datatype == "BYTES":
            texts = [str(value).encode() for value in tensor.values]
            return b"".join(struct.pack("<I", len(text)) + text for text in texts)
        return struct.pack(f"<{len(tensor.values)}{FORMATS[tensor.datatype]}", *tensor.values)
    except (KeyError, struct.error, OverflowError, UnicodeEncodeError):
        return repr(tensor.values).encode("utf-8", "replace")


_of_type = {"integer": "INT64", "number": "FP64", "string": "BYTES", "boolean": "BOOL"}


@st.composite
def tensors(draw: st.DrawFn, right: bool) -> list[Tensor]:
    """One for each input; if not `right`, of wrong types and shapes too, and others."""
    found = draw(_right_rows if right else rows)
    made = []
    for one in INPUTS:
        content = [row.get(one["name"]) for row in found]
        if None in content:
            continue
        datatype, shape = _of_type[one["type"]], draw(st.sampled_from([[len(content)], [len(content), 1]]))
        if not right and draw(st.booleans()):
            datatype = draw(st.sampled_from(DATATYPES))
            shape = draw(st.just(shape) | st.lists(st.integers(-1, 3), max_size=4))
        made.append(Tensor(one["name"], datatype, shape, content))
    if not right and draw(st.booleans()):
        shape = draw(st.lists(st.integers(-1, 2**41), max_size=9))
        made.append(
            Tensor(draw(_words), draw(st.sampled_from(DATATYPES)), shape, draw(st.lists(scalars, max_size=8)))
        )
    return made


@st.composite
def inferences(draw: st.DrawFn) -> Asked:
    """Open Inference over REST: elements as JSON or in binary, tensor by tensor."""
    right = draw(st.booleans())
    inputs, rest = [], b""
    for tensor in draw(tensors(right)):
        told: dict[str, Any] = {"name": tensor.name, "datatype": tensor.datatype, "shape": tensor.shape}
        if draw(st.booleans()):
            packed = _packed(tensor)
            rest += packed
            told["parameters"] = {"binary_data_size": len(packed) if right else draw(scalars)}
        else:
            nested = len(tensor.shape) == 2 and draw(st.booleans())
            told["data"] = [[value] for value in tensor.values] if nested else tensor.values
        inputs.append(told)
    named = st.fixed_dictionaries(
        {"name": _words}, optional={"parameters": st.just({"binary_data": True}) | values}
    )
    more = st.fixed_dictionaries(
        {}, optional={"outputs": st.lists(named, max_size=2) | values, "id": st.text(max_size=5) | values,
                      "parameters": st.just({"binary_data_output": True}) | values},
    )  # fmt: skip
    head = dumped({"inputs": inputs} | draw(more))
    length = str(len(head)) if rest else None
    length = length if right else draw(st.just(length) | st.none() | st.integers(-2, 900).map(str))
    return Asked("POST", draw(st.sampled_from(INFER)), head + rest, length=length)


_junk = st.builds(
    Asked, st.just("POST"), st.sampled_from(ALL), st.binary(max_size=80), st.sampled_from(KINDS),
    st.none() | st.integers(-2, 90).map(str),
)  # fmt: skip
_events = st.fixed_dictionaries(
    {}, optional={"id": st.text(max_size=5), "client_id": values, "label": scalars, "event": scalars, "row": scalars,
                  "value": scalars, "time": scalars},
)  # fmt: skip
asked = st.one_of(
    _junk,
    as_json(values, *ALL),
    as_json(row | rows | st.fixed_dictionaries({"data": rows}) | tables() | columns(), SCORE),
    as_json(_frames, INVOCATIONS),
    as_json(_events | st.lists(_events, max_size=3), FEEDBACK),
    csvs(),
    queries,
    inferences(),
)


@st.composite
def damaged(draw: st.DrawFn) -> Asked:
    """A request whose body has lost, or got, some bytes."""
    one = draw(asked)
    at = draw(st.integers(0, len(one.body)))
    cut = draw(st.integers(0, 3))
    return one._replace(body=one.body[:at] + draw(st.binary(max_size=3)) + one.body[at + cut :])


requests = asked | damaged()

_CONTENTS = {
    "bool_contents": st.booleans(), "int_contents": st.integers(-(2**31), 2**31 - 1),
    "int64_contents": st.integers(-(2**63), 2**63 - 1), "uint_contents": st.integers(0, 2**32 - 1),
    "uint64_contents": st.integers(0, 2**64 - 1), "fp32_contents": st.floats(width=32), "fp64_contents": st.floats(),
    "bytes_contents": st.binary(max_size=6),
}  # fmt: skip
_FITTING = {
    "INT64": "int64_contents",
    "FP64": "fp64_contents",
    "BYTES": "bytes_contents",
    "BOOL": "bool_contents",
}


def _fill(contents: Any, tensor: Tensor) -> None:
    """The elements as far as the field takes them."""
    field = getattr(contents, _FITTING.get(tensor.datatype, "fp32_contents"))
    for value in tensor.values:
        try:
            field.append(str(value).encode() if tensor.datatype == "BYTES" else value)
        except (TypeError, ValueError, OverflowError):
            return


@st.composite
def messages(draw: st.DrawFn, classes: dict[str, Any]) -> Any:
    """A ModelInferRequest."""
    right, raw = draw(st.booleans()), draw(st.booleans())
    message = classes["ModelInferRequest"](model_name="w")
    if not right:
        message.model_name = draw(st.just("w") | st.text(max_size=3).filter(str.isprintable))
        message.model_version = draw(st.sampled_from(["", "3", "4"]))
    for tensor in draw(tensors(right)):
        shape = [max(-(2**63), min(size, 2**63 - 1)) for size in tensor.shape]
        given = message.inputs.add(name=tensor.name, datatype=tensor.datatype, shape=shape)
        if raw:
            packed = _packed(tensor)
            message.raw_input_contents.append(
                packed if right else draw(st.just(packed) | st.binary(max_size=9))
            )
        elif right or draw(st.integers(0, 5)):
            _fill(given.contents, tensor)
        else:
            field = draw(st.sampled_from(sorted(_CONTENTS)))
            getattr(given.contents, field).extend(draw(st.lists(_CONTENTS[field], max_size=3)))
    for name in [] if right else draw(st.lists(_words, max_size=2)):
        message.outputs.add(name=name)
    for name in (
        [] if right else draw(st.lists(st.sampled_from(["priority", "sequence_id", "x"]), max_size=1))
    ):
        message.parameters[name].int64_param = 1
    return message
