"""What takes long with a large body (parsing it, writing its answer) is done in a thread, so that the event loop goes on.

A thread alone would not do: one call of a parser keeps the interpreter to itself until it returns. So what is done here is
done in pieces of about a millisecond where it can be, with `breathe()` between two.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from loopwright.scoring.refusals import WaitedTooLong
from loopwright.scoring.settings import Limits

LARGE = 256 * 1024  # bytes of a body that is parsed in a thread: two milliseconds of JSON
LARGE_CSV = 16 * 1024  # of one that takes ten times as long for each byte, or more
_AT_ONCE = 2  # threads; each more makes the event loop wait longer for the interpreter

Done = TypeVar("Done")


class Aside:
    """Threads of one front."""

    def __init__(self, limits: Limits) -> None:
        self._patience = limits.queue_wait
        self._turns = asyncio.Semaphore(_AT_ONCE)
        self._threads: ThreadPoolExecutor | None = None

    async def do(self, large: bool, function: Callable[..., Done], *arguments: Any) -> Done:
        """What the function returns, at once where it is not `large`; raises what it raises, or WaitedTooLong after
        limits.queue_wait without a turn."""
        if not large:
            return function(*arguments)
        if self._threads is None:
            self._threads = ThreadPoolExecutor(_AT_ONCE, "aside")
        await self._turn()
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, function, *arguments)
        finally:
            self._turns.release()

    async def _turn(self) -> None:
        try:
            async with asyncio.timeout(self._patience):
                await self._turns.acquire()
        except TimeoutError as error:
            raise WaitedTooLong(
                f"Other large bodies were read for longer than {self._patience:g} s. Try again later."
            ) from error


def breathe() -> None:
    """Let another thread have the interpreter."""
    time.sleep(0)
