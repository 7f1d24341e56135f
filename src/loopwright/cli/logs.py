"""`loopwright logs`: the output of a step's newest job or of an environment's replicas, read where it lies.

Needs no control plane: where one runs, it says which files these are; else the record does.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from loopwright.cli.client import Client
from loopwright.errors import TemporaryError
from loopwright.state import StateFolder

_LOOK = 0.25  # seconds between two looks for more
_AGAIN = 2.0  # seconds between two looks for other files: replicas come and go
_MOST = 256 * 1024  # bytes that are read at once


def logs(parsed: argparse.Namespace) -> int:
    """Print it; with --follow until interrupted."""
    state = StateFolder.resolve(parsed.home)
    files = _files(state, parsed)
    if parsed.follow:
        _follow(state, parsed, files)
    for name, path in files.items():
        if len(files) > 1 and not parsed.json:
            print(f"==> {name} <==")
        for text in _pieces(path):
            _tell(name, text, parsed.json)
    return 0


def _files(state: StateFolder, parsed: argparse.Namespace) -> dict[str, Path]:
    """The files by what each is the log of."""
    client = Client(state)
    found: dict[str, Any] | None = None
    if client.running():
        try:
            found = client.get(f"/v1/logs/{quote(parsed.workload, safe='')}", part=parsed.part)
        except TemporaryError:  # it has ended meanwhile
            found = None
    if found is None:
        from loopwright.operations.logs import stored_logs

        found = stored_logs(state, parsed.workload, parsed.part)
    return {file["name"]: Path(file["path"]) for file in found["files"]}


def _pieces(path: Path) -> Iterator[str]:
    with path.open(encoding="utf-8", errors="replace", newline="") as file:
        while text := file.read(_MOST):
            yield text


def _tell(name: str, text: str, as_json: bool) -> None:
    sys.stdout.write(json.dumps({"name": name, "text": text}) + "\n" if as_json else text)
    sys.stdout.flush()


def _follow(state: StateFolder, parsed: argparse.Namespace, files: dict[str, Path]) -> None:
    """Print what is there and what comes, a line at a time; of several files each line with its name before it."""
    tails = {name: Tail(path) for name, path in files.items()}
    looked = time.monotonic()
    while True:
        several = len(tails) > 1
        more = [(name, lines) for name, tail in tails.items() if (lines := tail.more())]
        for name, lines in more:
            prefix = f"{name} | " if several and not parsed.json else ""
            _tell(name, "".join(f"{prefix}{line}" for line in lines), parsed.json)
        if not more:
            time.sleep(_LOOK)
        if time.monotonic() - looked > _AGAIN:
            newest = _files(state, parsed)
            tails = {name: tails.get(name) or Tail(path) for name, path in newest.items()}
            looked = time.monotonic()


class Tail:
    """The whole lines of a file that have come since the last look; from its beginning where it was emptied."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0
        self._begun = b""

    def more(self) -> list[str]:
        """The new lines, each with its end; a line that is not whole yet waits for the next look."""
        try:
            with self._path.open("rb") as file:
                if file.seek(0, 2) < self._offset:  # rotated: its content lies beside it now
                    self._offset, self._begun = 0, b""
                file.seek(self._offset)
                content = file.read(_MOST)
        except FileNotFoundError:  # thrown away with its replica
            return []
        self._offset += len(content)
        whole, end, self._begun = (self._begun + content).rpartition(b"\n")
        return (whole + end).decode(errors="replace").splitlines(keepends=True)
