"""Stand-ins for inference-schema's decorators: arguments of run() by name, described and converted by samples."""

from __future__ import annotations

import functools
import inspect
from typing import Any, Callable

from .stand_in_types import AbstractParameterType

_INPUT, _OUTPUT = "__loopwright_inputs__", "__loopwright_output__"
_VERSIONS = ["2.0", "3.0", "3.1"]


def input_schema(
    param_name: str, param_type: Any, convert_to_provided_type: bool = True, optional: bool = False
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Declare that the parameter `param_name` of run() is of that type, and have it converted to it."""
    _check(param_type)

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def converting(*arguments: Any, **named: Any) -> Any:
            bound = inspect.signature(function).bind_partial(*arguments, **named)
            given = bound.arguments.get(param_name)
            if convert_to_provided_type and not (optional and not given):
                if param_name not in bound.arguments:
                    raise ValueError(f"A value is not provided for the {param_name!r} parameter.")
                bound.arguments[param_name] = _converted(given, param_type)
            return function(*bound.args, **bound.kwargs)

        known = dict(getattr(function, _INPUT, {}))
        setattr(converting, _INPUT, {**known, param_name: param_type})
        return converting

    return decorate


def output_schema(output_type: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Declare what run() gives."""
    _check(output_type)

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def passing(*arguments: Any, **named: Any) -> Any:
            return function(*arguments, **named)

        setattr(passing, _OUTPUT, output_type)
        return passing

    return decorate


def is_schema_decorated(function: Any) -> bool:
    """Whether either decorator is on a function."""
    return hasattr(function, _INPUT) or hasattr(function, _OUTPUT)


def get_input_schema(function: Any) -> dict[str, Any]:
    """The schema of the body: an object with an entry for each parameter."""
    typed: dict[str, AbstractParameterType] = getattr(function, _INPUT, {})
    if not typed:
        return {"type": "object"}
    names = list(inspect.signature(function).parameters)
    properties: dict[str, Any] = {name: {} for name in names}
    example: dict[str, Any] = dict.fromkeys(names, "")
    for name, one in typed.items():
        schema = one.input_to_swagger()
        example[name] = schema.pop("example")
        properties[name] = schema
    return {"type": "object", "properties": properties, "example": example}


def get_output_schema(function: Any) -> dict[str, Any]:
    """The schema of the answer."""
    output = getattr(function, _OUTPUT, None)
    return {"type": "object"} if output is None else dict(output.input_to_swagger())


def get_supported_versions(function: Any) -> list[str]:
    """Versions of the description that can tell all of it."""
    types = [*getattr(function, _INPUT, {}).values(), getattr(function, _OUTPUT, None)]
    common = set(_VERSIONS)
    for one in types:
        if one is not None:
            common &= set(one.supported_versions())
    return sorted(common)


def _check(given: Any) -> None:
    if not isinstance(given, AbstractParameterType):
        raise Exception("Error, provided param_type must be a subclass of the AbstractParameterType.")


def _converted(value: Any, kind: Any) -> Any:
    """JSON as the declared type, down into its lists and dictionaries; raises ValueError."""
    if kind.sample_data_type is dict:
        _expect(value, (dict,), kind)
        typed = kind.sample_data_type_map
        return {key: _converted(one, typed[key]) if key in typed else one for key, one in value.items()}
    if kind.sample_data_type in (list, tuple):
        _expect(value, (list, tuple), kind)
        typed_list = kind.sample_data_type_list
        return [_converted(one, typed_list[0]) for one in value] if typed_list else value
    return value if isinstance(value, kind.sample_data_type) else kind.deserialize_input(value)


def _expect(value: Any, types: Any, kind: Any) -> None:
    if not isinstance(value, types):
        raise ValueError(
            f"Invalid input data type to parse. Expected: {kind.sample_data_type} but got {type(value)}"
        )
