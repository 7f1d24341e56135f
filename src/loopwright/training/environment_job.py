"""The job that resolves user code's requirements to a lock and builds the Python environment from it, with uv.

Input: {"requirements": text, "file": its name for people, "lock": text or null, "python_version": "3.11", "environments": folder}. A lock that is
given is used as it is. Output: {"lock": text, "digest", "python": path of the interpreter, "python_version",
"packages": count}. An environment's folder is named by its lock's digest, so equal locks share one, and it counts only
once the file `complete` stands in it.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from loopwright import jobs
from loopwright.errors import Place, StepFailed
from loopwright.state import replace_file
from loopwright.training.variables import environment_folder

COMPLETE = "complete"


def work(given: jobs.Input, outputs: Path) -> jobs.Output:
    """Resolve, build, and say where the interpreter is."""
    requirements, file = given["requirements"], given.get("file", "")
    lock = given["lock"]
    if not lock:
        with pointing(requirements, file):
            lock = resolve(requirements, given["python_version"], outputs)
    digest = lock_digest(lock, given["python_version"])
    folder = environment_folder(Path(given["environments"]), digest)
    with _alone(folder):
        if not (folder / COMPLETE).exists():
            with pointing(requirements, file):
                build(folder, lock, given["python_version"], outputs)
    (outputs / "requirements.lock").write_text(lock)
    return {
        "lock": lock,
        "digest": digest,
        "python": str(folder / "bin" / "python"),
        "python_version": given["python_version"],
        "packages": sum("==" in line for line in lock.splitlines()),
    }


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Equal requirements of two workloads give one folder: one job builds it, the other waits and finds it."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_suffix(".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def lock_digest(lock: str, python_version: str) -> str:
    """Name an environment by all that decides its content."""
    return hashlib.sha256(
        f"{sys.platform} {os.uname().machine} {python_version}\n{lock}".encode()
    ).hexdigest()


def resolve(requirements: str, python_version: str, scratch: Path) -> str:
    """Pin every package, with hashes; raises StepFailed with uv's explanation."""
    source = scratch / "requirements.in"
    source.write_text(requirements)
    target = scratch / "resolved.txt"
    options = [
        "--generate-hashes",
        "--no-header",
        "--no-annotate",
        "--quiet",
        "--python-version",
        python_version,
    ]
    _uv(
        ["pip", "compile", *options, "--output-file", str(target), str(source)],
        "The requirements cannot be resolved",
    )
    text = target.read_text()
    source.unlink()
    target.unlink()
    return text


def build(folder: Path, lock: str, python_version: str, scratch: Path) -> None:
    """Make the environment's folder; what an earlier, interrupted attempt left is removed first."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    file = scratch / "lock.txt"
    file.write_text(lock)
    ours = f"{sys.version_info.major}.{sys.version_info.minor}"
    interpreter = sys.executable if python_version == ours else python_version
    _uv(
        ["venv", "--quiet", "--python", interpreter, str(folder)],
        f"No environment for Python {python_version} can be made",
        ("training.dependencies.python",),
    )
    _uv(
        [
            "pip",
            "sync",
            "--compile-bytecode",
            "--require-hashes",
            "--python",
            str(folder / "bin" / "python"),
            str(file),
        ],
        "The locked packages cannot be installed",
    )
    file.unlink()
    replace_file(folder / COMPLETE, b"", durable=True)


@contextmanager
def pointing(requirements: str, file: str) -> Iterator[None]:
    """Let a StepFailed of this block name the lines of the requirements file that it speaks of, or else the file."""
    try:
        yield
    except StepFailed as error:
        lines = spoken_of(requirements, error.message)
        error.places = error.places or tuple(Place(file=file, line=line) for line in lines or (1,))
        raise


def spoken_of(requirements: str, said: str) -> tuple[int, ...]:
    """The numbers of the lines whose package, or whose whole text, uv's words name."""
    words = {_normal(word) for word in re.findall(r"[A-Za-z0-9][\w.-]*", said)}
    found = []
    for number, line in enumerate(requirements.splitlines(), start=1):
        text = line.split(" #")[0].strip()
        name = re.match(r"[A-Za-z0-9][A-Za-z0-9._-]*", text)
        if text and not text.startswith("#") and ((name and _normal(name[0]) in words) or text in said):
            found.append(number)
    return tuple(found)


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).strip("-").lower()


def _uv(arguments: list[str], problem: str, at: tuple[str, ...] = ()) -> None:
    # Imported here: only this job needs uv, and the loop imports this module for its names.
    from uv import find_uv_bin

    # As pip does, and unlike uv's own default: the system's certificates, which a company's proxy may need.
    variables = {"UV_SYSTEM_CERTS": "true"} | os.environ
    done = subprocess.run(
        [find_uv_bin(), *arguments], capture_output=True, text=True, check=False, env=variables
    )
    print(done.stderr, file=sys.stderr, end="", flush=True)
    if done.returncode:
        raise StepFailed(f"{problem}: {done.stderr.strip() or done.stdout.strip()}", at)


if __name__ == "__main__":
    jobs.main(work)
