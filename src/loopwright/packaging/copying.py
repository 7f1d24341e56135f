"""Taking what others wrote into a package: copies, so that nothing outside can change it, and plain files only."""

from __future__ import annotations

import os
from pathlib import Path

from loopwright.catalog.copying import copy
from loopwright.catalog.store import walk
from loopwright.errors import StepFailed

_BYTECODE = "__pycache__"


def copy_folder(source: Path, target: Path, called: str) -> int:
    """Copy all files of a folder, read-only; returns how many. `called` is the folder's name in messages.

    A link to a file inside the folder becomes that file. Raises StepFailed for a link that leads elsewhere, and for
    whatever is no file. Bytecode is left out: it is made anew by the Python that runs it.
    """
    root = source.resolve()
    count = 0
    for path in sorted(walk(source, enter=lambda inside: inside.name != _BYTECODE)):
        copy_file(_plain(root, source / path, f"{called}/{path}"), target / path)
        count += 1
    return count


def copy_file(source: Path, target: Path) -> None:
    """Copy one file, read-only; it stays executable if its owner may run it."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        copy(
            source,
            target,
            0o555 if os.access(source, os.X_OK) and source.stat().st_mode & 0o100 else 0o444,
            durable=False,
        )
    except OSError as error:
        raise StepFailed(f"{source} cannot be copied into the package: {error.strerror}.") from error


def _plain(root: Path, path: Path, shown: str) -> Path:
    try:
        shown.encode()
    except UnicodeEncodeError as error:
        raise StepFailed(f"The file name {os.fsencode(shown)!r} is not UTF-8; rename the file.") from error
    try:
        real = path.resolve(strict=True)
    except (OSError, RuntimeError) as error:  # RuntimeError: links in a circle
        raise StepFailed(f"{shown} is a link that leads nowhere; mend or remove it.") from error
    if not real.is_relative_to(root):
        raise StepFailed(
            f"{shown} is a link to {real}, outside of its folder; a package holds all it needs: copy the file there."
        )
    if real.is_dir():
        raise StepFailed(f"{shown} is a link to a folder; put the folder itself there.")
    if not real.is_file():
        raise StepFailed(f"{shown} is no plain file (a pipe, a socket or a device); remove it.")
    return real
