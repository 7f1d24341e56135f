"""Stand-ins for inference-schema's types of parameters, where that package is absent.

A type is made around a sample. It says how the parameter is described (Swagger 2, OpenAPI 3) and turns JSON into what the
sample is: a pandas DataFrame, a NumPy array, a date.
"""

from __future__ import annotations

import base64
import datetime as dt
import importlib
import io
import json
from typing import Any, Dict

Schema = Dict[str, Any]

_DATE, _TIME = "%Y-%m-%d", "%H:%M:%S.%f %z"
_PLAIN = (  # exact types: a bool is no int here
    (bool, {"type": "boolean"}),
    (int, {"type": "integer", "format": "int64"}),
    (float, {"type": "number", "format": "double"}),
    (str, {"type": "string"}),
)
_ORIENTS = ("split", "records", "index", "columns", "values", "table")


class AbstractParameterType:
    """A parameter's type, told by a sample."""

    def __init__(self, sample_input: Any) -> None:
        self.sample_input = sample_input
        self.sample_data_type = type(sample_input)

    def deserialize_input(self, input_data: Any) -> Any:
        """What JSON gave, as what the sample is; raises ValueError."""
        raise NotImplementedError

    def input_to_swagger(self) -> Schema:
        """The schema, with the sample as its example."""
        raise NotImplementedError

    def supported_versions(self) -> list[str]:
        """Versions of the description in which it can be told: Swagger 2 has no lists of mixed types."""
        mixed = _is_mixed(self.input_to_swagger()["example"])
        return ["3.0", "3.1"] if mixed else ["2.0", "3.0", "3.1"]


class StandardPythonParameterType(AbstractParameterType):
    """A value of plain Python, or lists and dictionaries of such and of other types."""

    def __init__(self, sample_input: Any) -> None:
        super().__init__(sample_input)
        self.sample_data_type_map: dict[Any, AbstractParameterType] = {}
        self.sample_data_type_list: list[AbstractParameterType] = []
        if isinstance(sample_input, dict):
            typed = {key: one for key, one in sample_input.items() if isinstance(one, AbstractParameterType)}
            self.sample_data_type_map = typed
        elif isinstance(sample_input, (list, tuple)):
            self.sample_data_type_list = [
                one for one in sample_input if isinstance(one, AbstractParameterType)
            ]

    def deserialize_input(self, input_data: Any) -> Any:
        kind = self.sample_data_type
        if isinstance(input_data, str):
            input_data = _from_text(input_data, kind)
        if kind is float and type(input_data) is int:
            return input_data
        if not isinstance(input_data, kind):
            raise ValueError(f"Invalid input data type to parse. Expected: {kind} but got {type(input_data)}")
        return input_data

    def input_to_swagger(self) -> Schema:
        if self.sample_input is None:
            raise ValueError("Sample input cannot be None")
        schema = described(self.sample_input)
        json.dumps(schema)  # raises TypeError where it is no JSON
        return schema


class NumpyParameterType(AbstractParameterType):
    """A NumPy array; by default of the sample's type, and of its shape but for the number of rows."""

    def __init__(
        self, sample_input: Any, enforce_column_type: bool = True, enforce_shape: bool = True
    ) -> None:
        import numpy as np

        if not isinstance(sample_input, np.ndarray):
            raise Exception("Invalid sample input provided, must provide a sample Numpy array.")
        super().__init__(sample_input)
        self.enforce_column_type = enforce_column_type
        self.enforce_shape = enforce_shape

    def deserialize_input(self, input_data: Any) -> Any:
        import numpy as np

        if isinstance(input_data, np.ndarray):
            return input_data
        if not isinstance(input_data, list):
            raise ValueError("Invalid input format: expected an array of items.")
        kind = self.sample_input.dtype
        if self.enforce_column_type:
            made = np.array([_element(one, kind) for one in input_data], dtype=kind)
        else:
            made = np.array(input_data)
        if self.enforce_shape:
            _check_shape(made.shape, self.sample_input.shape, "array")
        return made

    def input_to_swagger(self) -> Schema:
        schema = _numpy_kind(self.sample_input.dtype)
        for _ in self.sample_input.shape:
            schema = {"type": "array", "items": schema}
        return {**schema, "example": _shown(self.sample_input.tolist(), schema), "format": "numpy.ndarray"}


class PandasParameterType(AbstractParameterType):
    """A pandas DataFrame, sent as pandas' to_json(orient=...) has it; by default of the sample's columns and types."""

    def __init__(
        self,
        sample_input: Any,
        enforce_column_type: bool = True,
        enforce_shape: bool = True,
        apply_column_names: bool = False,
        orient: str = "records",
    ) -> None:
        import pandas as pd

        if not isinstance(sample_input, pd.DataFrame):
            raise Exception("Invalid sample input provided, must provide a sample Pandas Dataframe.")
        if orient not in _ORIENTS:
            raise Exception(f"Invalid orient provided, must be one of {_ORIENTS}")
        super().__init__(sample_input)
        self.enforce_column_type = enforce_column_type
        self.enforce_shape = enforce_shape
        self.apply_column_names = apply_column_names
        self.orient = orient

    def deserialize_input(self, input_data: Any) -> Any:
        import pandas as pd

        if isinstance(input_data, pd.DataFrame):
            return input_data
        if not isinstance(input_data, (list, dict)):
            raise ValueError(
                f"Error, unable to convert input of type {type(input_data)} into Pandas Dataframe"
            )
        made: Any = pd.read_json(io.StringIO(json.dumps(input_data)), orient=self.orient, dtype=False)  # type: ignore[call-overload]
        if self.apply_column_names:
            made.columns = self.sample_input.columns.copy()
        if self.enforce_column_type:
            kinds = self.sample_input.dtypes.to_dict()
            for name in made.columns:
                if str(kinds.get(name, "")).startswith("timedelta"):
                    made[name] = pd.to_timedelta(made[name])
            made = made.astype({name: kinds.get(name, object) for name in made.columns})
        if self.enforce_shape:
            _check_shape(made.shape, self.sample_input.shape, "data frame")
        return made

    def input_to_swagger(self) -> Schema:
        sample = json.loads(self.sample_input.to_json(orient=self.orient, date_format="iso"))
        schema = described(sample)
        if self.orient == "records":
            for name, kind in self.sample_input.dtypes.items():
                for start, told in (("datetime", "date-time"), ("timedelta", "timedelta")):
                    if str(kind).startswith(start):
                        schema["items"]["properties"][str(name)]["format"] = told
        return {**schema, "format": f"pandas.DataFrame:{self.orient}"}


def described(value: Any) -> Schema:
    """The schema of a sample, with it as the example."""
    if isinstance(value, AbstractParameterType):
        return value.input_to_swagger()
    if isinstance(value, (list, tuple, range)):
        return _described_list(list(value))
    if isinstance(value, dict):
        parts = {key: described(one) for key, one in value.items()}
        examples = {key: part.pop("example") for key, part in parts.items()}
        return {"type": "object", "required": list(parts), "properties": parts, "example": examples}
    for kind, schema in _PLAIN:
        if type(value) is kind:
            return {**schema, "example": value}
    text, form = _as_text(value)
    return (
        {"type": "string", "format": form, "example": text} if form else {"type": "object", "example": value}
    )


def _described_list(values: list[Any]) -> Schema:
    parts = [described(one) for one in values]
    examples = [part.pop("example") for part in parts]
    return {"type": "array", "items": parts[-1] if parts else {"type": "object"}, "example": examples}


def _as_text(value: Any) -> tuple[str, str]:
    """A value that JSON has no type for, as text, and that text's format."""
    if isinstance(value, (bytes, bytearray)):
        return base64.b64encode(value).decode(), "byte"
    if isinstance(value, dt.datetime):
        zoned = value if value.tzinfo else value.replace(tzinfo=dt.timezone.utc)
        return zoned.strftime(f"{_DATE} {_TIME}"), "date-time"
    if isinstance(value, dt.date):
        return value.strftime(_DATE), "date"
    if isinstance(value, dt.time):
        zoned_time = value if value.tzinfo else value.replace(tzinfo=dt.timezone.utc)
        return zoned_time.strftime(_TIME), "time"
    return "", ""


def _from_text(text: str, kind: Any) -> Any:
    if kind in (bytes, bytearray):
        return kind(base64.b64decode(text.encode()))
    if kind not in (dt.date, dt.datetime, dt.time):
        return text
    if kind is dt.date:
        return dt.datetime.strptime(text, _DATE).date()  # noqa: DTZ007  (a date has no zone)
    try:
        moment = importlib.import_module("dateutil.parser").parse(text)
    except ImportError:
        moment = dt.datetime.fromisoformat(text.strip().replace("Z", "+00:00"))
    return moment.timetz() if kind is dt.time else moment


def _element(value: Any, kind: Any) -> Any:
    """One element of an array, for NumPy to take: records as tuples, times as NumPy has them."""
    import numpy as np

    if kind.names:
        parts = [value[name] for name in kind.names] if isinstance(value, dict) else list(value)
        return tuple(_element(part, kind[place]) for place, part in enumerate(parts))
    if isinstance(value, str) and kind.kind == "M":
        return np.datetime64(value)
    if isinstance(value, str) and kind.kind == "m":
        number, _, unit = value.partition(" ")
        return np.timedelta64(int(number), _UNITS[unit.strip().lower()])  # type: ignore[call-overload]
    return value


_UNITS = {
    "years": "Y", "months": "M", "weeks": "W", "days": "D", "hours": "h", "minutes": "m", "seconds": "s",
    "milliseconds": "ms", "microseconds": "us", "nanoseconds": "ns", "picoseconds": "ps", "femtoseconds": "fs",
    "attoseconds": "as",
}  # fmt: skip


def _numpy_kind(kind: Any) -> Schema:
    if kind.names:
        return {"type": "object", "properties": {name: _numpy_kind(kind[name]) for name in kind.names}}
    if kind.subdtype is not None:
        inner, shape = kind.subdtype
        schema = _numpy_kind(inner)
        for _ in shape:
            schema = {"type": "array", "items": schema}
        return schema
    if kind.kind in "iu":
        return {"type": "integer", "format": kind.name}
    if kind.kind == "f":
        return {"type": "number", "format": "double" if kind.itemsize == 8 else "float"}
    told = {"b": {"type": "boolean"}, "O": {"type": "object"}, "U": {"type": "string"}}.get(kind.kind)
    texts = {"M": "date-time", "m": "timedelta", "S": "binary", "V": "binary"}
    if told is None and kind.kind not in texts:
        raise TypeError(f"We currently do not support extracting schema from data of type {kind.name}")
    return told or {"type": "string", "format": texts[kind.kind]}


def _shown(value: Any, schema: Schema) -> Any:
    """A value of an array as its example shows it."""
    if schema["type"] == "array":
        return [_shown(one, schema["items"]) for one in value]
    if schema["type"] == "object":
        parts = schema.get("properties")
        return {name: _shown(one, parts[name]) for name, one in zip(parts, value)} if parts else str(value)
    if schema["type"] == "string":
        if isinstance(value, bytes):
            return base64.b64encode(value).decode()
        return value.strftime("%Y-%m-%d %H:%M:%S,%f") if isinstance(value, dt.datetime) else str(value)
    return value


def _check_shape(found: tuple[int, ...], expected: tuple[int, ...], what: str) -> None:
    if len(found) != len(expected):
        raise ValueError(
            f"Invalid input {what}: {len(expected)} dimensions are expected; input has {len(found)} [shape {found}]"
        )
    for place in range(1, len(expected)):
        if found[place] != expected[place]:
            raise ValueError(
                f"Invalid input {what}: size {found[place]} on dimension #{place}, while expected value is {expected[place]}"
            )


def _is_mixed(example: Any) -> bool:
    if isinstance(example, list):
        return len({type(one) for one in example}) > 1 or any(
            _is_mixed(one) for one in example if isinstance(one, list)
        )
    return isinstance(example, dict) and any(_is_mixed(one) for one in example.values())
