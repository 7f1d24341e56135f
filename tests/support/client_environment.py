"""An environment with other projects' clients, which cannot share ours: made once for a list of pins, and kept.

It lies in `.venv`, so that `make clean` removes it; the first run needs the package index.
"""

from __future__ import annotations

import fcntl
import hashlib
import subprocess
import sys
from pathlib import Path

CLIENTS = Path(__file__).parents[1] / "conformance" / "clients"
_PINS = CLIENTS / "requirements.txt"


def client_environment() -> Path:
    """Its folder of programs."""
    digest = hashlib.sha256(_PINS.read_bytes()).hexdigest()[:12]
    made = Path(sys.prefix) / "clients" / f"{digest}-{sys.version_info.major}.{sys.version_info.minor}"
    done = made / ".done"
    made.parent.mkdir(exist_ok=True)
    with (made.parent / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            _uv("venv", "--quiet", "--clear", "--python", sys.executable, str(made))
            _uv(
                "pip",
                "install",
                "--quiet",
                "--python",
                str(made / "bin" / "python"),
                "--requirements",
                str(_PINS),
            )
            done.touch()
    return made / "bin"


def _uv(*arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "uv", *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"the clients' environment cannot be made: {done.stderr[-2000:]}"
