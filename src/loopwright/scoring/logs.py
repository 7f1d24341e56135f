"""The replica's own log: one JSON object a line on stderr, beside whatever user code prints.

Events of its life and its errors, never a line per request. `action` says what happened.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import TextIO

import msgspec

from loopwright.secrets.masking import Masker


class Log:
    """Writes lines that all carry the same `common` fields, and no secret that `masker` knows."""

    def __init__(self, stream: TextIO | None = None, masker: Masker | None = None, **common: object) -> None:
        self._stream = stream or sys.stderr
        self.mask = (masker or Masker(())).text
        self._common = common

    def info(self, action: str, /, **fields: object) -> None:
        """Something that belongs to an ordinary life."""
        self._write("info", action, fields)

    def warning(self, action: str, /, **fields: object) -> None:
        """Something that was mended, and that somebody should know."""
        self._write("warning", action, fields)

    def error(self, action: str, /, **fields: object) -> None:
        """Something that a client or an operator suffers from."""
        self._write("error", action, fields)

    def say(self, line: str) -> None:
        """One plain line, for people and for whoever reads the last lines of a log."""
        try:
            self._stream.write(self.mask(line) + "\n")
            self._stream.flush()
        except OSError:  # a full disk or a closed pipe must not end the serving
            pass

    def _write(self, level: str, action: str, fields: dict[str, object]) -> None:
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        event = {"time": now, "level": level, "action": action, **self._common, **fields}
        self.say(msgspec.json.encode(event).decode())
