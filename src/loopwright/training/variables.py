"""The environment variables that user code is given."""

from __future__ import annotations

import math
import os
from pathlib import Path

_THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")


def threads(cores: float) -> int:
    """How many threads suit a number of cores: at least one."""
    return max(1, math.ceil(cores))


def user_environment(python: Path, cores: float) -> dict[str, str]:
    """Variables that put an environment's programs first and size the thread pools of numerical libraries."""
    binaries = python.parent
    variables = {
        "PATH": f"{binaries}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "VIRTUAL_ENV": str(binaries.parent),
        "PYTHONUNBUFFERED": "1",
        "PYTHONHASHSEED": "0",  # a second run of the same script on the same data gives the same model
    }
    return variables | dict.fromkeys(_THREAD_VARIABLES, str(threads(cores)))


def environment_folder(environments: Path, digest: str) -> Path:
    """Where the Python environment of a lock's digest is, or will be."""
    return environments / digest[:16]


def visible_devices(gpus: int) -> dict[str, str]:
    """The variable that gives a job so many GPUs, the first ones; none where none are asked for."""
    return {"CUDA_VISIBLE_DEVICES": ",".join(map(str, range(gpus)))} if gpus else {}
