"""How a job of ours (data, packaging, evaluation, tests) reads its input and hands back its result.

A job is its own process in its own folder: it reads `input.json`, writes files under `outputs/`, and ends by writing
`output.json`, or, when it came to a definite no, `error.json` with exit status 1. Both are replaced by rename, so the
control plane, which may have been away meanwhile, finds a whole result or none.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from loopwright.errors import LoopwrightError
from loopwright.state import replace_file

Input = dict[str, Any]
Output = dict[str, Any]


def main(work: Callable[[Input, Path], Output]) -> None:
    """Run `work(input, outputs_folder)` in the job folder named by the only argument, and exit."""
    folder = Path(sys.argv[1])
    outputs = folder / "outputs"
    outputs.mkdir(exist_ok=True)
    try:
        output = work(json.loads((folder / "input.json").read_bytes()), outputs)
    except LoopwrightError as error:
        content = {"code": error.code, "message": error.message, "details": error.details()}
        replace_file(folder / "error.json", json.dumps(content).encode())
        print(error.message, file=sys.stderr)
        sys.exit(1)
    replace_file(folder / "output.json", json.dumps(output, allow_nan=False).encode())
    sys.exit(0)
