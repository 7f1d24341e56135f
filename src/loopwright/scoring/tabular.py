"""CSV bodies: a header that names inputs, and a line for each row."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable, Iterator
from typing import Any

from loopwright.scoring.refusals import InvalidInput, NotJson
from loopwright.scoring.rows import Parsed, Parser, repeated

CSV_TYPES = frozenset(("text/csv", "application/csv"))
_NUMERAL = frozenset("0123456789+-.eE")  # no blanks, no underscores, no other alphabet's digits
_TRUTH = {"true": True, "false": False, "1": True, "0": False}


def rows(body: bytes, parser: Parser) -> Parsed:
    """The rows of a CSV body, UTF-8 with or without byte order mark; an empty field is a missing value.

    Further columns that are asked for are kept as text.

    Raises NotJson where it is no text, InvalidInput for a line or a value that will not do.
    """
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise NotJson(f"The body is not UTF-8 text: {error.reason}.") from error
    lines = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = next(lines, None)
        if header is None:
            raise InvalidInput(None, None, "empty", "CSV with a header that names the inputs")
        twice = repeated(header)
        if twice is not None:
            raise InvalidInput(twice, None, "named twice in the header", "each column once")
        return parser.table(_records(header, lines, parser))
    except csv.Error as error:
        raise InvalidInput(
            None, None, f"not CSV ({error})", "CSV with a header that names the inputs"
        ) from error


def _records(header: list[str], lines: Iterator[list[str]], parser: Parser) -> Iterator[dict[str, Any]]:
    reads: dict[str, Callable[[str], Any]] = dict.fromkeys(parser.extra, str)
    reads |= {one.name: _READS[one.type] for one in parser.inputs}
    for number, line in enumerate(one for one in lines if one):
        if len(line) != len(header):
            raise InvalidInput(None, number, f"{len(line)} fields", f"{len(header)}, as in the header")
        yield {
            name: reads[name](field) if field else None
            for name, field in zip(header, line, strict=True)
            if name in reads
        }


def _integer(text: str) -> Any:
    if not _NUMERAL.issuperset(text):
        return text
    try:
        return int(text)
    except ValueError:
        return _number(text)


def _number(text: str) -> Any:
    """The number, or the text as it is, which the law then refuses by name: what Python alone takes for one too."""
    if not _NUMERAL.issuperset(text):
        return text
    try:
        number = float(text)
    except ValueError:
        return text
    return number if math.isfinite(number) else text


_READS: dict[str, Callable[[str], Any]] = {
    "integer": _integer,
    "number": _number,
    "boolean": lambda text: _TRUTH.get(text.lower(), text),
    "string": str,
}
