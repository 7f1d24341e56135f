"""What a worker's user code writes, on its way into the replica's log: through the front, where secrets are masked.

Only where there are secrets: else a worker writes into the log by itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import os

from loopwright.scoring.settings import Settings, secret_values
from loopwright.secrets.masking import Masker


class MaskedOutput(asyncio.Protocol):
    """Reads a worker's standard output and error, and writes them without secrets; `closed` once all is written."""

    def __init__(self, masker: Masker, target: int = 2) -> None:
        self._masker, self._target = masker, target
        self.closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def data_received(self, data: bytes) -> None:
        self._write(self._masker.feed(data))

    def connection_lost(self, _error: Exception | None) -> None:
        self._write(self._masker.finish())
        if not self.closed.done():
            self.closed.set_result(None)

    def _write(self, data: bytes) -> None:
        with contextlib.suppress(OSError):  # a full disk must not end the serving
            while data:
                data = data[os.write(self._target, data) :]


async def masked_output(settings: Settings) -> tuple[int, MaskedOutput] | None:
    """A descriptor for a worker to write to, to be closed once the worker has it; None where nothing is secret."""
    values = secret_values(settings)
    if not values:
        return None
    reading, writing = os.pipe()
    output = MaskedOutput(Masker(values))
    await asyncio.get_running_loop().connect_read_pipe(lambda: output, os.fdopen(reading, "rb", 0))
    return writing, output
