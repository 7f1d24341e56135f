"""Scores with the package's compiled model in the front itself: no worker, nothing of the user's environment.

A call that takes about as long as handing it to a thread would is made on the event loop; any other in a thread, where
ONNX Runtime lets go of the interpreter, so that health checks and other requests go on. A request of very many rows is
answered in slices: between two the others have their turn, and it ends there where it is late.
"""

from __future__ import annotations

import asyncio
import importlib
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Protocol

from loopwright.scoring import memory
from loopwright.scoring.batching import Columns
from loopwright.scoring.logs import Log
from loopwright.scoring.refusals import Failed, InvalidInput, Late, Refusal
from loopwright.scoring.rows import Row
from loopwright.scoring.settings import Settings
from loopwright.scoring.telemetry import Telemetry

FOLDER = "compiled"  # in the package
_LONGEST = 0.002  # seconds that the event loop may be held up
_SLICE = 0.05  # seconds that a call in the thread may take, so that the next has its turn
_WEIGHT = 0.1  # of the newest call in the running mean


class Compiled(Protocol):
    """A compiled model that was loaded."""

    def score(self, rows: Sequence[Row]) -> Columns:
        """The answers, one list for each output; raises InvalidInput."""
        ...


class FrontScorer:
    """A RowScorer; `example` are the rows it is warmed up with."""

    parallel = 1
    ends_late = False  # what a thread has begun cannot be ended

    def __init__(self, settings: Settings, example: list[Row], telemetry: Telemetry, log: Log) -> None:
        self._settings = settings
        self._example = example
        self._telemetry = telemetry
        self._log = log
        self._model: Compiled | None = None
        self._thread = ThreadPoolExecutor(1, "model")
        self._row_seconds = 0.0  # running mean
        self.message = "loading the model"

    @property
    def ready(self) -> bool:
        return self._model is not None

    def pids(self) -> dict[str, int]:
        return {}

    async def run(self) -> str:
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            model = await loop.run_in_executor(self._thread, self._load)
        except Exception as error:  # whatever a damaged file makes the runtime raise
            self._log.error("init-failed", error=str(error))
            self.message = f"init failed: the compiled model cannot be loaded: {error}"
            return self.message
        self._telemetry.init_seconds = loop.time() - began
        self._log.info("model-ready", init_seconds=round(self._telemetry.init_seconds, 3))
        memory.settle()
        self._model, self.message = model, ""
        await loop.create_future()
        return ""

    def score_now(self, rows: list[Row]) -> Columns | None:
        if not 0.0 < self._row_seconds * len(rows) <= _LONGEST:
            return None
        return self._score(rows)

    def lets_pass(self, rows: int) -> bool:
        return rows > self._sliced()

    async def score_rows(self, rows: list[Row], within: float | None = None) -> Columns:
        loop = asyncio.get_running_loop()
        until = loop.time() + (within or self._settings.limits.timeout)
        columns: Columns = []
        start = 0
        while start < len(rows):
            if loop.time() > until:
                raise Late(f"No answer within {self._settings.limits.timeout:g} s.")
            part = rows[start : start + self._sliced()]
            answers = await loop.run_in_executor(self._thread, self._score, part, start)
            columns = [*map(list.__iadd__, columns, answers)] if columns else answers
            start += len(part)
        return columns

    def _sliced(self) -> int:
        """How many rows a slice has."""
        return max(1, int(_SLICE / self._row_seconds)) if self._row_seconds else 1

    def abandon(self) -> None:
        """The batcher in front of it answers all requests; a call that runs in the thread is left to end."""

    async def stop(self, patience: float) -> None:
        del patience
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _load(self) -> Compiled:
        # Only here: it brings NumPy and ONNX Runtime.
        compiled = importlib.import_module("loopwright.scoring.compiled")
        model: Compiled = compiled.load(Path(self._settings.package) / FOLDER)
        if self._example:
            model.score(self._example)  # the first call is the slowest
            began = time.perf_counter()
            model.score(self._example)
            self._row_seconds = (time.perf_counter() - began) / len(self._example)
        memory.trim()
        return model

    def _score(self, rows: list[Row], first: int = 0) -> Columns:
        """The answers to some rows of a request, the `first` of which has that number."""
        assert self._model is not None  # noqa: S101  (nobody asks before it is ready)
        began = time.perf_counter()
        try:
            columns = self._model.score(rows)
        except InvalidInput as refusal:  # numbers that the model cannot hold, say
            raise refusal.moved(first) from None
        except Refusal:
            raise
        except Exception as error:
            message = "The model failed on this request; the replica's log explains the id."
            raise Failed(message, f"{type(error).__name__}: {error}") from error
        taken = (time.perf_counter() - began) / max(1, len(rows))
        known = self._row_seconds
        self._row_seconds = known + _WEIGHT * (taken - known) if known else taken
        return columns
