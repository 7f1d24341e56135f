"""What msgspec says of a body that does not fit a type, as the refusal that clients get: which field, found, expected."""

from __future__ import annotations

import re
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
        validation.decode(bytes(body))  # which says where it stops being JSON
        raise


def _misfit(sentence: str) -> InvalidInput:
    at = _PATH.search(sentence)
    path = at["path"] if at else ""
    if missing := _MISSING.search(sentence):
        name = f"{path}.{missing['field']}" if path else missing["field"]
        return InvalidInput(name, None, "missing", "it to be there")
    if wrong := _WRONG_TYPE.search(sentence):
        return InvalidInput(path or None, None, f"of type {wrong['found']}", wrong["expected"])
    return InvalidInput(path or None, None, f"not readable ({_PATH.sub('', sentence)})", "what it stands for")
