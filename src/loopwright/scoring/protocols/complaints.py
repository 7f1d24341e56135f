"""What msgspec says of a body that does not fit a type, as the refusal that clients get: which field, found, expected."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from typing import Any

import msgspec

from loopwright.scoring import validation
from loopwright.scoring.refusals import InvalidInput

_WRONG_TYPE = re.compile(r"Expected `(?P<expected>[^`]*)`, got `(?P<found>[^`]*)`")
_MISSING = re.compile(r"Object missing required field `(?P<field>[^`]*)`")
_PATH = re.compile(r" - at `(?:key in )?\$?\.?(?P<path>[^`]*)`$")


def read(decoder: msgspec.json.Decoder[Any], body: bytes | memoryview) -> Any:
    """What a decoder makes of a body; raises NotJson, or InvalidInput with the field's path."""
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        raise _misfit(str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        value = _with_nan(bytes(body))
    try:
        return msgspec.convert(value, decoder.type)
    except msgspec.ValidationError as error:
        raise _misfit(str(error)) from None


def _with_nan(body: bytes) -> Any:
    """The JSON of clients that write NaN for a missing number, as Python's own writer does (and so Triton's and MLflow's
    clients); raises Refusal where that is not all that is wrong with it."""
    if b"NaN" in body or b"Infinity" in body:
        with suppress(ValueError, RecursionError):
            return json.loads(body, parse_constant=lambda name: None if name == "NaN" else float(name))
    return validation.decode(body)


def _misfit(sentence: str) -> InvalidInput:
    at = _PATH.search(sentence)
    path = at["path"] if at else ""
    if missing := _MISSING.search(sentence):
        name = f"{path}.{missing['field']}" if path else missing["field"]
        return InvalidInput(name, None, "missing", "it to be there")
    if wrong := _WRONG_TYPE.search(sentence):
        return InvalidInput(path or None, None, f"of type {wrong['found']}", wrong["expected"])
    return InvalidInput(path or None, None, f"not readable ({_PATH.sub('', sentence)})", "what it stands for")
