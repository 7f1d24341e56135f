"""Say in plain words what the YAML parser stumbled over."""

from __future__ import annotations

import re

from yaml.reader import ReaderError

from loopwright.errors import Problem

_QUOTE = "Text that begins with one of @ ` % { [ * & ! | > needs quotes."
_INDENT = "Fields of one level begin in the same column; lists need `- ` before each item."
# What the parser says -> found, expected, hint. The first that occurs in its words holds.
_WORDS: tuple[tuple[str, str, str, str], ...] = (
    (
        "mapping values are not allowed",
        "a `:` where no field can begin",
        "a field below another, or text in quotes",
        "A `: ` within text needs quotes.",
    ),
    ("did not find expected ',' or ']'", "a list that does not end", "`,` or `]`", ""),
    ("did not find expected ',' or '}'", "a mapping that does not end", "`,` or `}`", ""),
    (
        "did not find expected key",
        "something that is no field",
        "a field in the column of the others, or the end",
        _INDENT,
    ),
    (
        "did not find expected '-' indicator",
        "something that is no list item",
        "`- ` in the column of the others, or the end",
        _INDENT,
    ),
    ("found unexpected end of stream", "the end of the file within quotes", "a closing quote", ""),
    (
        "found unknown escape character",
        "an unknown escape after `\\`",
        "`\\\\` for a backslash",
        "In single quotes a backslash is just itself.",
    ),
    ("comment or line break", "text after `|` or `>`", "the text on the lines below", ""),
    ("found unexpected ':'", "a `:` within a word", "`name: value` with a space, or text in quotes", ""),
    ("mapping keys are not allowed", "a `?` where no field can begin", "a value, or text in quotes", ""),
    ("could not find expected ':'", "a name without a `:`", "`name: value`", ""),
    (
        "did not find expected <document start>",
        "text after the end of the document",
        "the end of the file",
        "",
    ),
    (
        "block sequence entries are not allowed",
        "a `-` where no list can begin",
        "the list on lines of its own",
        _INDENT,
    ),
    ("did not find expected node content", "nothing that could be a value", "a value", _QUOTE),
    ("incompatible YAML document", "another version of YAML", "YAML 1.2", "Remove the %YAML line."),
    ("character that cannot start any token", "a character that no value begins with", "a value", _QUOTE),
)


def syntax_problem(error: Exception, text: str, file: str) -> Problem:
    """One problem for an error of the parser."""
    if isinstance(error, UnicodeEncodeError):
        return _at(text, error.start, file, "half of a surrogate pair", "text that UTF-8 can carry")
    if isinstance(error, ReaderError):
        return _unprintable(text, file)
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    said = str(getattr(error, "problem", None) or "")
    if mark and ("tab character" in said or text[mark.index : mark.index + 1] == "\t"):
        return Problem(file, line, column, "", "a tab", "spaces", "YAML is indented by spaces alone.")
    found, expected, hint = next((rest for words, *rest in _WORDS if words in said), _unknown(said))
    return Problem(file, line, column, "", found, expected, hint)


def _unknown(said: str) -> list[str]:
    return [f"text that is not YAML ({said})" if said else "text that is not YAML", "YAML", ""]


def _unprintable(text: str, file: str) -> Problem:
    # The reader counts bytes; what it refuses is found again by its own rule.
    match = re.search(
        "[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]", text
    )
    start = match.start() if match else 0
    return _at(
        text,
        start,
        file,
        f"the control character U+{ord(text[start]):04X}",
        "printable text",
        "Remove it, or write it as an escape in double quotes.",
    )


def _at(text: str, start: int, file: str, found: str, expected: str, hint: str = "") -> Problem:
    before = text[:start]
    return Problem(file, before.count("\n") + 1, start - before.rfind("\n"), "", found, expected, hint)
