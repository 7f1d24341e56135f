"""What a lock pins, and whether a Python environment holds just that.

A lock is only worth something if what runs is what it says. So whoever is about to start user code (the loop before a
training job, a replica before its workers) compares the lock with what is installed, by the names of the folders that
every installer leaves beside a package. No interpreter is started for it, and nothing of the environment is imported.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

_PIN = re.compile(
    r"(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)(\[[^\]]*\])?\s*(==\s*(?P<version>[^\s;]+)|@\s*\S+)\s*(;\s*(?P<marker>.*))?"
)
_SUFFIXES = (".dist-info", ".egg-info")
_MOST_TOLD = 3


@dataclass(frozen=True)
class Pin:
    """One package of a lock; `version` is empty where it is pinned by an address and its hash instead."""

    name: str
    version: str
    marker: str = ""  # for which platforms it holds; empty: for all


def plain_name(name: str) -> str:
    """A package's name as PyPI compares names (PEP 503): `Scikit_Learn` is `scikit-learn`."""
    return re.sub(r"[-_.]+", "-", name).lower()


def read(lock: str) -> tuple[Pin, ...]:
    """The pins of a lock: the lines of a requirements file that say `name==version`."""
    found = []
    for line in lock.replace("\\\n", " ").splitlines():
        text = re.split(r"(?:^|\s)(?:#|--hash)", line, maxsplit=1)[0].strip()
        match = _PIN.fullmatch(text)
        if match:
            found.append(
                Pin(plain_name(match["name"]), match["version"] or "", (match["marker"] or "").strip())
            )
    return tuple(found)


def expected(lock: str, python_version: str) -> dict[str, str]:
    """What a lock pins for this machine and a Python version such as `3.11.7`: name -> version."""
    return {
        pin.name: pin.version for pin in read(lock) if not pin.marker or _holds(pin.marker, python_version)
    }


def _holds(marker: str, python_version: str) -> bool:
    from packaging.markers import Marker  # only here: most locks have no line for another platform

    short = ".".join(python_version.split(".")[:2])
    return Marker(marker).evaluate({"python_version": short, "python_full_version": python_version})


def installed(environment: Path) -> dict[str, str]:
    """What an environment's folder holds: name -> version, from the names of the folders beside the packages."""
    found: dict[str, str] = {}
    for packages in environment.glob("lib/python3*/site-packages"):
        for entry in os.listdir(packages):  # noqa: PTH208  (at every start of a replica: four times as fast)
            stem, suffix = os.path.splitext(entry)  # noqa: PTH122  (the same reason)
            if suffix in _SUFFIXES:
                name, _, version = stem.partition("-")
                found[plain_name(name)] = version.partition("-")[0]
    return found


def python_of(environment: Path) -> str:
    """The full version of an environment's interpreter, as its pyvenv.cfg says; empty where there is none."""
    try:
        lines = (environment / "pyvenv.cfg").read_text().splitlines()
    except OSError:
        return ""
    fields = dict(line.replace(" ", "").split("=", 1) for line in lines if "=" in line)
    return fields.get("version_info") or fields.get("version") or ""


def difference(lock: str, environment: Path) -> str:
    """What an environment holds other than its lock says, naming the packages; empty where they agree."""
    wanted, there = expected(lock, python_of(environment)), installed(environment)
    told = [
        sentence
        for name in sorted(wanted.keys() | there.keys())
        if (sentence := _compared(name, wanted.get(name), there.get(name)))
    ]
    more = f"; and {len(told) - _MOST_TOLD} more" if len(told) > _MOST_TOLD else ""
    return "; ".join(told[:_MOST_TOLD]) + more


def _compared(name: str, wanted: str | None, there: str | None) -> str:
    if wanted is None:
        return f"{name} {there} is installed, the lock does not have it"
    if there is None:
        return f"{name} is not installed, the lock says {wanted}"
    if wanted in ("", there) or _equal(wanted, there):
        return ""
    return f"{name} {there} is installed, the lock says {wanted}"


def _equal(one: str, other: str) -> bool:
    """Whether two spellings are one version: `1.0` and `1.0.0`, `2.1+cpu.x` and `2.1+cpu_x`."""
    from packaging.version import InvalidVersion, Version

    try:
        return Version(one) == Version(other.replace("_", "."))
    except InvalidVersion:
        return False


def refusal(lock: str, environment: Path) -> str:
    """The sentence with which nothing is started in an environment that differs from its lock; empty where it may."""
    differs = difference(lock, environment)
    if not differs:
        return ""
    return (
        f"The Python environment {environment} is not what its lock says: {differs}. Nothing starts in it. "
        f"Remove that folder and run `loopwright up`: it is made again from the lock."
    )
