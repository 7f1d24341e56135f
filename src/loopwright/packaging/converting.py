"""The user's interpreter at work for packaging: one process that converts a model and then says how the original answers."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import msgspec

from loopwright.packaging import conversion_shim
from loopwright.packaging.known_rows import Row
from loopwright.packaging.verdict import Answered
from loopwright.scoring import Input, ModelFile

_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
PATIENCE = 240.0  # seconds for the conversion, and again for all answers


class NotConverted(Exception):  # noqa: N818  (an answer more than an error)
    """Why there is no compiled form; a clause for a person."""


class Conversion(msgspec.Struct, frozen=True, kw_only=True):
    """What the process wrote: a plan that may lack its head, which is then to be made of trees."""

    plan: dict[str, Any]
    kind: str
    trees: dict[str, Any] | None = None


class Original:
    """A model in its own environment."""

    def __init__(self, folder: Path, process: subprocess.Popen[bytes], heard: IO[bytes]) -> None:
        self.folder = folder
        self._process = process
        self._heard = heard
        self._asked = 0

    def conversion(self) -> Conversion:
        """What was made of it; raises NotConverted."""
        self._await(time.monotonic() + PATIENCE)
        told = msgspec.json.decode((self.folder / "conversion.json").read_bytes())
        if "reason" in told:
            raise NotConverted(told["reason"])
        return msgspec.convert(told, Conversion)

    def answers(self, rows: Sequence[Row]) -> Answered:
        """Its answers; raises NotConverted where it gives none."""
        assert self._process.stdin is not None  # noqa: S101  (it was asked for)
        self._asked += 1
        file = self.folder / f"rows-{self._asked}.json"
        file.write_bytes(msgspec.json.encode(rows))
        try:
            self._process.stdin.write(f"{file}\n".encode())
            self._process.stdin.flush()
        except BrokenPipeError:
            raise NotConverted(self._ended()) from None
        self._await(time.monotonic() + PATIENCE)
        told = json.loads(Path(f"{file}.answers").read_bytes())  # with NaN and infinities, which are no JSON
        if "error" in told:
            raise NotConverted(f"the original does not answer generated rows ({told['error']})")
        return msgspec.convert(told, Answered)

    def _await(self, deadline: float) -> None:
        ready, _, _ = select.select([self._heard], [], [], max(0.0, deadline - time.monotonic()))
        if not ready:
            raise NotConverted(f"converting it and asking it took longer than {PATIENCE:g} s")
        if not self._heard.readline():
            raise NotConverted(self._ended())

    def _ended(self) -> str:
        return f"its interpreter ended with status {self._process.wait(5)} (out of memory?)"


@contextmanager
def original(
    package: Path, model: ModelFile, python: str, inputs: Sequence[Input], example: Row
) -> Iterator[Original]:
    """Start the process, and end it."""
    with tempfile.TemporaryDirectory(prefix="loopwright-") as place:
        folder = Path(place)
        (folder / "request.json").write_bytes(msgspec.json.encode(_request(package, model, inputs, example)))
        reading, writing = os.pipe()
        command = (python, "-I", "-u", conversion_shim.__file__, place, str(writing))
        environment = {**os.environ, **dict.fromkeys(_THREADS, "1")}
        process = subprocess.Popen(
            command, env=environment, stdin=subprocess.PIPE, stdout=sys.stderr, pass_fds=(writing,)
        )
        os.close(writing)
        try:
            with os.fdopen(reading, "rb", buffering=0) as heard:
                yield Original(folder, process, heard)
        finally:
            process.kill()
            process.wait()
            if process.stdin is not None:
                process.stdin.close()


def _request(package: Path, model: ModelFile, inputs: Sequence[Input], example: Row) -> Mapping[str, Any]:
    return {
        "model": str(package / "model" / model.path),
        "flavor": model.flavor,
        "code": str(package / "code"),
        "names": [one.name for one in inputs],
        "types": [one.type for one in inputs],
        "example": example,
    }
