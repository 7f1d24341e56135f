"""Read a YAML file into plain values and their places, strictly.

Works on the parser's events and not on composed nodes, since composing recurses in C and a file of brackets alone would
crash the process. Refused: keys written twice, keys that are not text, anchors, aliases, tags, a second document.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from loopwright.errors import Problem, SpecError
from loopwright.spec.complaints import quoted
from loopwright.spec.positions import Mark, Positions, join
from loopwright.spec.scalars import resolve
from loopwright.spec.syntax import syntax_problem

_DEEPEST = 50  # levels of nesting; recursion here and in the validator is bounded by it
_LARGEST = 1024 * 1024  # bytes; a spec has a few thousand
_PLAIN = ("", None)


class Unreadable:
    """Stands for a value that a problem was already told of; nothing more is said about it."""


UNREADABLE = Unreadable()


@dataclass(frozen=True)
class Document:
    """One file: its value, where everything stands, and what is wrong with it as YAML."""

    value: Any
    positions: Positions
    problems: tuple[Problem, ...] = ()


def read_text(path: Path, name: str) -> str:
    """A file's text; raises SpecError with one problem where there is no such file or it is not UTF-8 text."""
    try:
        content = path.read_bytes() if path.stat().st_size <= _LARGEST else None
    except OSError as error:
        raise SpecError([_unreadable(path, name, error)]) from None
    if content is None:
        raise SpecError(
            [
                Problem(
                    name,
                    1,
                    1,
                    "",
                    "a file of more than 1 MiB",
                    "a YAML file of a few kilobytes",
                    "Is it the right file?",
                )
            ]
        )
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start]
        line, column = before.count(b"\n") + 1, error.start - before.rfind(b"\n")
        found = f"the byte 0x{content[error.start]:02x}, which is not UTF-8"
        raise SpecError(
            [Problem(name, line, column, "", found, "text in UTF-8", "Save the file as UTF-8.")]
        ) from None


def _unreadable(path: Path, name: str, error: OSError) -> Problem:
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return Problem(name, 1, 1, "", "no such file", "a YAML file", "Check the name and the folder.")
    if path.is_dir():
        return Problem(name, 1, 1, "", "a folder", "a YAML file", "Name the file in it.")
    return Problem(
        name,
        1,
        1,
        "",
        f"a file that cannot be read ({error.strerror})",
        "a readable YAML file",
        "Mend its permissions.",
    )


def read_document(text: str, file: str) -> Document:
    """Parse text; raises SpecError where it is not YAML at all, and returns lesser problems with the value."""
    builder = _Builder(file)
    try:
        events = yaml.parse(text, Loader=yaml.CSafeLoader)
        value = builder.document(events)
    except (yaml.YAMLError, UnicodeEncodeError) as error:
        raise SpecError([*builder.problems, syntax_problem(error, text, file)]) from None
    return Document(value, Positions(file, builder.values, builder.keys), tuple(builder.problems))


class _Builder:
    """Turns events into values, and keeps places and problems."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.values: dict[str, Mark] = {}
        self.keys: dict[str, Mark] = {}
        self.problems: list[Problem] = []

    def document(self, events: Iterator[yaml.Event]) -> object:
        """The value of the only document."""
        next(events)  # the stream's start
        if isinstance(next(events), yaml.StreamEndEvent):
            self._complain(Mark(1, 1), "", "an empty file", "fields with values")
            return UNREADABLE
        value = self._node(next(events), events, "", 0)
        next(events)  # the document's end
        after = next(events)
        if not isinstance(after, yaml.StreamEndEvent):
            self._complain(
                _mark(after),
                "",
                "a second document (`---`)",
                "one document in a file",
                "Put it into a file of its own.",
            )
        if value is None:
            self._complain(Mark(1, 1), "", "an empty file", "fields with values")
            return UNREADABLE
        return value

    def _node(self, event: yaml.Event, events: Iterator[yaml.Event], path: str, depth: int) -> object:
        self.values[path] = mark = _mark(event)
        if depth > _DEEPEST:
            self._complain(mark, path, f"more than {_DEEPEST} levels of nesting", "a flatter file")
            raise SpecError(self.problems)
        if isinstance(event, yaml.AliasEvent):
            self._complain(
                mark,
                path,
                f"the alias {quoted('*' + str(event.anchor))}",
                "the value itself",
                "Write it out: each value has one place.",
            )
            return UNREADABLE
        self._refuse_decoration(event, path, mark)
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event, path, mark)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(events, path, depth)
        return self._mapping(events, path, depth)

    def _refuse_decoration(self, event: Any, path: str, mark: Mark) -> None:
        if event.anchor is not None:
            self._complain(
                mark,
                path,
                f"the anchor {quoted('&' + event.anchor)}",
                "a plain value",
                "Write it out where it is needed.",
            )
        if event.tag is not None:
            tag = event.tag.replace("tag:yaml.org,2002:", "!!")
            self._complain(
                mark, path, f"the tag {quoted(tag)}", "a plain value", "Put text into quotes instead."
            )

    def _scalar(self, event: yaml.ScalarEvent, path: str, mark: Mark) -> object:
        text = str(event.value)
        if event.style not in _PLAIN:
            return text
        self.values[path] = Mark(mark.line, mark.column, text)
        try:
            return resolve(text)
        except ValueError as error:
            self._complain(mark, path, quoted(text), str(error), "Put it into quotes if it is text.")
            return UNREADABLE

    def _sequence(self, events: Iterator[yaml.Event], path: str, depth: int) -> list[object]:
        items: list[object] = []
        while not isinstance(event := next(events), yaml.SequenceEndEvent):
            items.append(self._node(event, events, join(path, str(len(items))), depth + 1))
        return items

    def _mapping(self, events: Iterator[yaml.Event], path: str, depth: int) -> dict[str, object]:
        fields: dict[str, object] = {}
        while not isinstance(event := next(events), yaml.MappingEndEvent):
            name = self._key(event, events, path, depth)
            below = join(path, name) if name is not None else f"{path}.?"
            known = self.keys.get(below) if name in fields else None
            if known:
                self._complain(
                    _mark(event),
                    below,
                    f"the key {quoted(str(name))} a second time",
                    "each key once",
                    f"It stands in line {known.line} already.",
                )
                below = f"{below}?"  # a place of its own: what it holds is checked as YAML, and not used
            self.keys[below] = _mark(event)
            value = self._node(next(events), events, below, depth + 1)
            if name is not None and not known:
                fields[name] = value
        return fields

    def _key(self, event: yaml.Event, events: Iterator[yaml.Event], path: str, depth: int) -> str | None:
        """A key as it is written, so that `no` and `1` are the names `no` and `1`; None for what is no name."""
        mark = _mark(event)
        if isinstance(event, yaml.ScalarEvent):
            self._refuse_decoration(event, path, mark)
            if event.value == "<<" and event.style in _PLAIN:
                self._complain(
                    mark,
                    path,
                    "the merge key `<<`",
                    "the fields themselves",
                    "Write them out: each value has one place.",
                )
                return None
            return str(event.value)
        self._complain(
            mark, path, "a key that is not text", "a name", "Text with { or [ in front needs quotes."
        )
        if not isinstance(event, yaml.AliasEvent):
            self._node(event, events, f"{path}.?", depth + 1)
        return None

    def _complain(self, mark: Mark, path: str, found: str, expected: str, hint: str = "") -> None:
        self.problems.append(Problem(self.file, mark.line, mark.column, path, found, expected, hint))


def _mark(event: Any) -> Mark:
    return Mark(event.start_mark.line + 1, event.start_mark.column + 1)
