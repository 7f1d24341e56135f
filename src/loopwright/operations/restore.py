"""`loopwright restore`: an installation from a backup's file, in a state folder or on a machine that has none yet.

Everything is unpacked and checked beside the state folder, which then gets its name by one rename: killed anywhere
before, nothing has that name. The facts go into a file, or into the PostgreSQL database that `LOOPWRIGHT_LEDGER` names.
The restored ledger says so itself: its next fact is `state.restored`, with the place that the backup ended at.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from loopwright.engines.local.ports import is_free
from loopwright.errors import ConflictError, IntegrityError, MachineError
from loopwright.ledger import Entry, Ledger, hold_of, open_ledger
from loopwright.operations.archive import unpack
from loopwright.operations.backup import FACTS
from loopwright.state import StateFolder, read_settings, replace_file

_PORTS = ("gateway_port", "mlflow_port")


def restore(state: StateFolder, source: Path, actor: str) -> dict[str, Any]:
    """Make the state folder from a backup. Returns what was restored.

    Raises ConflictError where the state folder or the database holds something, IntegrityError for a file that is cut off or
    was changed, MachineError where the disk refuses; nothing is changed then.
    """
    _require_empty(state)
    try:
        state.root.parent.mkdir(parents=True, exist_ok=True)
        beside = Path(tempfile.mkdtemp(prefix=f".{state.root.name}.restoring-", dir=state.root.parent))
    except OSError as error:
        raise MachineError(
            f"Nothing can be written beside {state.root}: {error.strerror}. Name another folder by --home."
        ) from error
    try:
        manifest = unpack(source, beside)
        made = StateFolder(beside / "state")
        (beside / "ledger.head").replace(made.ledger_head)
        moved = _own_settings(made)
        with _held(made):
            _fill(made, beside / FACTS, manifest, source, actor)
            made.control_lock.unlink(missing_ok=True)
            _settle(made.root)
            made.root.rename(state.root)  # takes the place of an empty folder, and of nothing else
    except OSError as error:
        raise MachineError(
            f"{source} cannot be restored to {state.root}: {error.strerror or error}. Make room, or mend the rights."
        ) from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return {
        "home": str(state.root),
        "sequence": manifest["ledger"]["sequence"],
        "created": manifest["created"],
        "files": len(manifest["files"]),
        "ports_taken": moved,
    }


def _require_empty(state: StateFolder) -> None:
    if state.root.is_dir() and not any(state.root.iterdir()):
        return
    if state.root.exists():
        raise ConflictError(
            f"{state.root} is not empty, and a backup is restored into nothing else. Name another folder by --home, or move it away."
        )


def _own_settings(made: StateFolder) -> list[int]:
    """Leave out what belongs to the other place: its database, and ports that somebody has here. Returns these ports."""
    known = read_settings(made.settings)
    known.pop("ledger", None)
    taken = [known[name] for name in _PORTS if isinstance(known.get(name), int) and not is_free(known[name])]
    if taken:
        known = {name: value for name, value in known.items() if name not in _PORTS}
    replace_file(made.settings, json.dumps(known, indent=2).encode())
    return taken


@contextmanager
def _held(made: StateFolder) -> Iterator[None]:
    """No control plane serves from the database meanwhile; raises ConflictError where one does."""
    hold = hold_of(made)
    try:
        hold.acquire()
    except ConflictError as error:
        raise ConflictError(
            f"{error.message} A backup is restored into an empty database: name another by LOOPWRIGHT_LEDGER."
        ) from error
    try:
        yield
    finally:
        hold.release()


def _fill(made: StateFolder, lines: Path, manifest: dict[str, Any], source: Path, actor: str) -> None:
    """The facts into the new ledger, verified, and one more that says where they come from."""
    with closing(open_ledger(made)) as ledger:
        place = manifest["ledger"]
        known = ledger.newest_place()
        if known.sequence == 0:
            ledger.take_in(_entries(lines, source))
        elif not _the_same(ledger, known.sequence, place):
            raise ConflictError(
                "The database that LOOPWRIGHT_LEDGER names holds facts already, and a backup is restored into an empty one."
            )
        verified = ledger.verify()
        if not verified.ok:
            raise IntegrityError(f"{source} holds facts that are not what was recorded. {verified.sentence}")
        body = {
            "sequence": place["sequence"],
            "hash": place["hash"],
            "backup": manifest["created"],
            "file": source.name,
        }
        ledger.append_once("state.restored", "", place["hash"], body, actor, time.time())


def _the_same(ledger: Ledger, newest: int, place: dict[str, Any]) -> bool:
    """Whether just these facts were filled in by a restore of this backup that ended before the folder had its name.

    The installation that was backed up has them too, and then its own `state.backed-up`: that one is in use.
    """
    there = ledger.facts(after=place["sequence"] - 1, limit=3)
    if newest > place["sequence"] + 1 or not there or there[0].hash != place["hash"]:
        return False
    return all((fact.kind, fact.key) == ("state.restored", place["hash"]) for fact in there[1:])


def _entries(lines: Path, source: Path) -> Iterator[Entry]:
    with lines.open(encoding="utf-8") as file:
        for line in file:
            try:
                yield Entry(*json.loads(line))
            except (ValueError, TypeError) as error:
                raise IntegrityError(f"{source} holds a line that is no fact: {line[:80]!r}.") from error


def _settle(folder: Path) -> None:
    """The modes that the store has, and everything on the disk before it gets its name."""
    for path in (folder / "store" / "files").rglob("*"):
        if path.is_file():
            path.chmod(0o444)
    folder.chmod(0o700)
    for path in (folder, *(path for path in folder.rglob("*") if path.is_dir())):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
