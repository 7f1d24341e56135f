"""The pipe between a job's command and its log: the shim reads it, and so can bound what is kept and mask what is secret."""

from __future__ import annotations

import os

from loopwright.engines.local.bounded_log import BoundedLog
from loopwright.secrets.masking import Masker

__all__ = ["Output"]


class Output:
    """Both ends of the pipe; `reading` is -1 once every writer has closed it."""

    def __init__(self, log: BoundedLog, masker: Masker) -> None:
        self._log, self._masker = log, masker
        self.reading, self.writing = os.pipe()
        os.set_blocking(self.reading, False)

    def started(self) -> None:
        """The command has the writing end, or never will: the shim lets go of it."""
        os.close(self.writing)

    def keep(self) -> bool:
        """Keep what has been written; False where there is nothing now."""
        if self.reading < 0:
            return False
        try:
            data = os.read(self.reading, 1 << 16)
        except BlockingIOError:
            return False
        self._log.write(self._masker.feed(data))
        if not data:
            os.close(self.reading)
            self.reading = -1
        return bool(data)

    def finish(self) -> None:
        """Keep the rest; call it when nobody is left to write."""
        while self.keep():
            pass
        self._log.write(self._masker.finish())
        self._log.close()

    def note(self, text: str) -> None:
        """Add a line of our own."""
        self._log.note(text)
