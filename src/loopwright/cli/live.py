"""The progress of a change on the screen: a row a step, redrawn on a terminal; plain or JSON lines elsewhere."""

from __future__ import annotations

import json
import math
import shutil
import sys
import time
from typing import Any, Protocol, TextIO

from loopwright.cli.table import render, seconds

_MARKS = {
    "waiting": " ",
    "running": "…",
    "approval": "?",
    "done": "✓",
    "cached": "=",
    "failed": "✗",
    "stopped": "-",
    "held": "-",
    "manual": "?",
}
_TOLD = {
    "cached": "unchanged",
    "approval": "needs approval",
    "held": "rolled back",
    "manual": "needs promote",
}
Progress = dict[str, Any]


class View(Protocol):
    """Shows a progress, again and again."""

    def show(self, progress: Progress) -> None: ...
    def end(self, progress: Progress) -> None: ...


def view(as_json: bool, home: str = "", stream: TextIO | None = None) -> View:
    """The view that suits where the output goes; `home` is the option that commands to paste need."""
    stream = stream or sys.stdout
    if as_json:
        return JsonLines(stream)
    return Screen(stream, home) if stream.isatty() else PlainLines(stream, home)


def rows(progress: Progress, now: float) -> list[list[str]]:
    """A row a step: mark, name, state, time, first line of the message."""
    table = []
    for step in progress["steps"]:
        lines = step["message"].splitlines()
        state = step["state"]
        table.append(
            [
                _MARKS[state],
                step["step"],
                _TOLD.get(state, state),
                seconds(_took(step, now)),
                lines[0] if lines else "",
            ]
        )
    return table


def details(progress: Progress) -> list[str]:
    """What steps have to say beyond their row; what failed says it in the error."""
    told = [step for step in progress["steps"] if step["state"] in ("done", "cached")]
    return [f"  {step['step']}: {line}" for step in told for line in step["message"].splitlines()[1:]]


def _took(step: Progress, now: float) -> float | None:
    """Seconds that this change's own doing of it has taken; None where that is not what was seen last."""
    ended = step["ended_at"] or (now if step["state"] in ("running", "approval") else None)
    if step["started_at"] is None or ended is None or step["state"] == "cached":
        return None
    return max(0.0, float(ended) - float(step["started_at"]))


def waiting_for(progress: Progress, home: str) -> str:
    """What a person has to do or to know now; empty where that is nothing."""
    if progress.get("trouble"):
        return str(progress["trouble"])
    approval = progress.get("approval", "")
    if not approval:
        return ""
    return f"Waiting for a person. Look at it, then: loopwright approve {approval}{home}   (or: reject)"


class Screen:
    """Redraws the table in place, with the colours of a terminal left as they are."""

    def __init__(self, stream: TextIO, home: str = "") -> None:
        self._stream = stream
        self._home = home
        self._drawn = 0

    def show(self, progress: Progress) -> None:
        size = shutil.get_terminal_size()
        asking = waiting_for(progress, self._home).splitlines()
        # Left to the terminal to wrap: it is there to be pasted, whole and without line ends of ours.
        wrapped = sum(max(1, math.ceil(len(line) / size.columns)) for line in asking)
        # What is higher than the screen cannot be drawn over: the newest rows are the lower ones.
        room = max(0, size.lines - 1 - wrapped)
        table = [line[: size.columns - 1] for line in render(rows(progress, time.time()), "  ")]
        lines = table[max(0, len(table) - room) :]
        back = f"\x1b[{self._drawn}F\x1b[J" if self._drawn else ""
        self._stream.write(back + "\n".join([*lines, *asking]) + "\n")
        self._stream.flush()
        self._drawn = len(lines) + wrapped

    def end(self, progress: Progress) -> None:
        self.show(progress)
        self._stream.write("".join(f"{line}\n" for line in ["", *details(progress)]))


class PlainLines:
    """A line for each change of a step's state, and the table at the end."""

    def __init__(self, stream: TextIO, home: str = "") -> None:
        self._stream = stream
        self._home = home
        self._said: dict[str, tuple[str, str]] = {}
        self._asked = ""

    def show(self, progress: Progress) -> None:
        for step in progress["steps"]:
            lines = step["message"].splitlines()
            saying = (step["state"], lines[0] if lines else "")
            if step["state"] in ("waiting", "stopped") or self._said.get(step["step"]) == saying:
                continue
            self._said[step["step"]] = saying
            took = seconds(_took(step, time.time())) if step["state"] in ("done", "failed") else ""
            words = [step["step"] + ":", _TOLD.get(step["state"], step["state"]), took, saying[1]]
            self._stream.write(" ".join(word for word in words if word) + "\n")
        self._ask(waiting_for(progress, self._home))
        self._stream.flush()

    def _ask(self, sentence: str) -> None:
        if sentence and sentence != self._asked:
            self._stream.write(sentence + "\n")
        self._asked = sentence

    def end(self, progress: Progress) -> None:
        self.show(progress)
        table = render(rows(progress, time.time()), "  ")
        self._stream.write("\n" + "\n".join([*table, "", *details(progress)]) + "\n")
        self._stream.flush()


class JsonLines:
    """Each news as one JSON object a line."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def show(self, progress: Progress) -> None:
        self._stream.write(json.dumps({"event": "progress"} | progress) + "\n")
        self._stream.flush()

    def end(self, progress: Progress) -> None:
        self.show(progress)
