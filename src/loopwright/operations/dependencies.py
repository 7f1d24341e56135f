"""What a folder's dependency file and its loopwright.lock say, and whether the two belong together."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loopwright.errors import SpecError
from loopwright.loop.change import digest
from loopwright.loop.files import SPEC_FILE
from loopwright.spec import load_stored
from loopwright.spec.dependencies import Dependencies
from loopwright.state import replace_file
from loopwright.training import lock_file
from loopwright.training.lock_file import LOCK_FILE
from loopwright.training.wanted import Read, Wanted, folder_reader, gather

OURS = f"{sys.version_info.major}.{sys.version_info.minor}"


@dataclass(frozen=True)
class Needs:
    """What is asked for, the lock's text where there is one, and the Python version that follows."""

    wanted: Wanted
    lock: str | None
    python: str

    @property
    def files(self) -> tuple[str, ...]:
        """The files that say it, the lock among them."""
        return self.wanted.files if self.lock is None else (*self.wanted.files, LOCK_FILE)

    def body(self, files: Mapping[str, str]) -> dict[str, Any]:
        """As a change records it; `files` names the content of each file."""
        return {
            "wanted": digest(self.wanted.texts()),
            "files": list(self.wanted.files),
            "python": self.python,
            "lock": None if self.lock is None else files[LOCK_FILE],
        }


def needs(dependencies: Dependencies, read: Read) -> Needs:
    """Read both; raises SpecError where a line cannot be met, or the lock is not of these requirements."""
    wanted, lock = gather(dependencies, read), read(LOCK_FILE)
    if lock is None:
        return Needs(wanted, None, dependencies.python or wanted.python or OURS)
    parsed = lock_file.parse(lock)
    problems = lock_file.problems(parsed, wanted, dependencies.python)
    if problems:
        raise SpecError(problems)
    return Needs(wanted, lock, parsed.python)


def lock(folder: Path, upgrade: Sequence[str] | None) -> dict[str, Any]:
    """Write the folder's loopwright.lock; what it pinned already stays, where it still fits.

    `upgrade` names packages that are to be newer; an empty list means all. Returns what came, went and changed. Raises
    SpecError for a wrong spec or dependency file, StepFailed where the requirements contradict each other.
    """
    import tempfile

    from loopwright.training.resolving import resolve

    path = folder if folder.is_file() else folder / SPEC_FILE
    folder = (
        path.parent
    )  # no look at the other files that it names: where packages are pinned, the data need not be
    dependencies, read = load_stored(path, str(path)).training.dependencies, folder_reader(folder)
    wanted, earlier = gather(dependencies, read), lock_file.parse(read(LOCK_FILE) or "")
    _require_known(wanted, earlier, upgrade or ())
    python = dependencies.python or wanted.python or earlier.python or OURS
    with tempfile.TemporaryDirectory(prefix="loopwright-") as scratch:
        body = resolve(wanted.texts(), python, Path(scratch), earlier.versions, upgrade)
    text = lock_file.write(wanted, python, body)
    unchanged = text == read(LOCK_FILE)
    if not unchanged:
        replace_file(folder / LOCK_FILE, text.encode(), mode=0o644, durable=True)
    changes = _changes(earlier, lock_file.parse(text))
    return {"path": str(folder / LOCK_FILE), "python": python, "changed": not unchanged} | changes


def _require_known(wanted: Wanted, earlier: lock_file.LockFile, upgrade: Sequence[str]) -> None:
    from loopwright.errors import NotFoundError
    from loopwright.pins import plain_name

    names = {block.name for block in earlier.blocks}
    for name in upgrade:
        if plain_name(name) not in names:
            source = wanted.files[0]
            raise NotFoundError(
                f"{LOCK_FILE} has no package {name}. Name one that it has, or ask for {name} in {source} first."
            )


def _changes(earlier: lock_file.LockFile, now: lock_file.LockFile) -> dict[str, Any]:
    before, after = _versions(earlier), _versions(now)
    return {
        "packages": len(after),
        "added": {name: version for name, version in after.items() if name not in before},
        "removed": {name: version for name, version in before.items() if name not in after},
        "updated": {
            name: [before[name], version]
            for name, version in after.items()
            if name in before and before[name] != version
        },
    }


def _versions(lock: lock_file.LockFile) -> dict[str, str]:
    """Name -> version; several where platforms differ."""
    found: dict[str, list[str]] = {}
    for block in lock.blocks:
        if block.pin:
            found.setdefault(block.pin.name, []).append(block.pin.version or "by its address")
    return {name: ", ".join(sorted(set(versions))) for name, versions in sorted(found.items())}
