"""Where the peers run: one Python environment for each, made by uv from a lock of its own, kept in `.bench` between runs.

A lock is made anew, after a change of `peers/NAME/requirements.in`, by
`.venv/bin/uv pip compile --universal --no-header --no-annotate requirements.in -o requirements.lock` in that folder.
All that serve a model pin the same scikit-learn, that of examples/titanic.
"""

from __future__ import annotations

import hashlib
import platform
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
KEPT = ROOT / ".bench"  # git ignores it; `make clean` removes it
PEERS = HERE / "peers"


def environment(name: str) -> Path:
    """The environment of a peer, made if it is not there or its lock has changed; returns its folder of programs."""
    lock = PEERS / name / "requirements.lock"
    digest = hashlib.sha256(lock.read_bytes() + platform.python_version().encode()).hexdigest()
    folder = KEPT / "environments" / name
    made = folder / "made-from"
    if not made.is_file() or made.read_text() != digest:
        print(f"Making the environment of {name} ...", flush=True)
        shutil.rmtree(folder, ignore_errors=True)
        _uv("venv", "--python", sys.executable, str(folder))
        _uv("pip", "sync", "--python", str(folder / "bin" / "python"), str(lock))
        made.write_text(digest)
    return folder / "bin"


def _uv(*words: str) -> None:
    command = [str(Path(sys.executable).with_name("uv")), "--quiet", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(words)}: {done.stderr}"
