"""The job that resolves user code's requirements to a lock and builds the Python environment from it, with uv.

Input: {"wanted": {"requirements": lines, "constraints": lines, "options": lines}, "lines": [[text, file, number]] of the
requirements, "lock": text or null,
"python_version": "3.11", "environments": folder}. A lock that is given is used as it is. Output: {"lock": text,
"digest", "python_version", "packages": count}. An environment's folder is named by
its lock's digest, so equal locks share one, and it counts only once the file `complete` stands in it.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
from pathlib import Path

from loopwright import jobs, pins
from loopwright.errors import StepFailed
from loopwright.state import replace_file
from loopwright.training.alone import alone
from loopwright.training.resolving import pointing, resolve, run_uv
from loopwright.training.variables import environment_folder

COMPLETE = "complete"


def work(given: jobs.Input, outputs: Path) -> jobs.Output:
    """Resolve, build, and name what was built; raises StepFailed where the two do not come to the same."""
    lines, lock = given.get("lines", []), given["lock"]
    if lock is None:
        with pointing(lines):
            lock = resolve(given["wanted"], given["python_version"], outputs)
    digest = lock_digest(lock, given["python_version"])
    folder = environment_folder(Path(given["environments"]), digest)
    with alone(folder):
        if not (folder / COMPLETE).exists():
            with pointing(lines):
                build(folder, lock, given["python_version"], outputs)
    refused = pins.refusal(lock, folder)
    if refused:
        raise StepFailed(refused)
    (outputs / "requirements.lock").write_text(lock)
    return {
        "lock": lock,
        "digest": digest,
        "python_version": given["python_version"],
        "packages": len(pins.installed(folder)),
    }


def lock_digest(lock: str, python_version: str) -> str:
    """Name an environment by all that decides its content."""
    return hashlib.sha256(
        f"{sys.platform} {os.uname().machine} {python_version}\n{lock}".encode()
    ).hexdigest()


def build(folder: Path, lock: str, python_version: str, scratch: Path) -> None:
    """Make the environment's folder; what an earlier, interrupted attempt left is removed first."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    file = scratch / "lock.txt"
    file.write_text(lock)
    ours = f"{sys.version_info.major}.{sys.version_info.minor}"
    interpreter = sys.executable if python_version == ours else python_version
    run_uv(
        ["venv", "--quiet", "--python", interpreter, str(folder)],
        f"There is no Python {python_version} on this machine, and uv could not fetch one. Install it, or name another in "
        f"training.dependencies.python (Loopwright's own is {ours}). uv says",
        ("training.dependencies.python",),
    )
    run_uv(
        [
            *("pip", "sync", "--compile-bytecode", "--require-hashes"),
            *("--python", str(folder / "bin" / "python"), str(file)),
        ],
        "The locked packages cannot be installed",
    )
    file.unlink()
    replace_file(folder / COMPLETE, b"", durable=True)


if __name__ == "__main__":
    jobs.main(work)
