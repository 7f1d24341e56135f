"""Resolve requirements to exact versions with hashes, for all platforms, with uv."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from loopwright.errors import Place, StepFailed
from loopwright.pins import plain_name


def resolve(
    wanted: Mapping[str, Sequence[str]],
    python_version: str,
    scratch: Path,
    earlier: str = "",
    upgrade: Sequence[str] | None = None,
) -> str:
    """Pin every package; returns the lines of a requirements file. Raises StepFailed with uv's explanation.

    `wanted` has the lines of `requirements`, `constraints` and `options`. What `earlier` pins stays as it is where it
    still fits, but for the packages of `upgrade`; an empty list of those means all.
    """
    files = {name: scratch / f"{name}.in" for name in ("requirements", "constraints")}
    for name, file in files.items():
        lines = [*wanted.get("options", ())] if name == "requirements" else []
        file.write_text("".join(f"{line}\n" for line in [*lines, *wanted.get(name, ())]))
    target = scratch / "resolved.txt"
    target.write_text(earlier)
    renew = [] if upgrade is None else [f"--upgrade-package={name}" for name in upgrade] or ["--upgrade"]
    options = ["--generate-hashes", "--no-header", "--no-annotate", "--quiet", "--universal"]
    try:
        run_uv(
            [
                *("pip", "compile", *options, *renew),
                *(
                    "--fork-strategy",
                    "fewest",
                ),  # one version for all Pythons where there is one: this lock is for one
                *("--python-version", python_version),
                *("--constraint", str(files["constraints"])),
                *("--output-file", str(target), str(files["requirements"])),
            ],
            "The requirements cannot be resolved",
        )
        return target.read_text()
    finally:
        for file in (*files.values(), target):
            file.unlink(missing_ok=True)


@contextmanager
def pointing(lines: Sequence[tuple[str, str, int]]) -> Iterator[None]:
    """Let a StepFailed of this block name the lines (text, file, number) that it speaks of, or else the first file."""
    try:
        yield
    except StepFailed as error:
        spoken_of = [Place(file=file, line=line) for text, file, line in lines if _names(error.message, text)]
        anywhere = [Place(file=file, line=1) for _, file, _ in lines[:1]]
        error.places = error.places or tuple(spoken_of or anywhere)
        raise


def _names(said: str, requirement: str) -> bool:
    """Whether uv's words name a requirement's package, or quote it whole."""
    words = {plain_name(word).strip("-") for word in re.findall(r"[A-Za-z0-9][\w.-]*", said)}
    name = re.match(r"[A-Za-z0-9][A-Za-z0-9._-]*", requirement)
    return requirement in said or (name is not None and plain_name(name[0]) in words)


def run_uv(arguments: Sequence[str], problem: str, at: Sequence[str] = ()) -> str:
    """Run uv and return what it says; raises StepFailed that begins with `problem`, about these paths of the spec."""
    # Imported here: few need uv, and the loop imports these modules for their names.
    from uv import find_uv_bin

    # As pip does, and unlike uv's own default: the system's certificates, which a company's proxy may need.
    variables = {"UV_SYSTEM_CERTS": "true"} | os.environ
    done = subprocess.run(
        [find_uv_bin(), *arguments], capture_output=True, text=True, check=False, env=variables
    )
    if done.returncode:
        raise StepFailed(f"{problem}: {done.stderr.strip() or done.stdout.strip()}", at)
    print(done.stderr, file=sys.stderr, end="", flush=True)
    return done.stdout
