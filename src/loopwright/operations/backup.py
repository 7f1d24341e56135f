"""`loopwright backup`: one file with all that an installation knows, as of one moment, while it serves.

The moment is that of the ledger: its facts come first, all else is at least as new. What facts name in the store is
taken with them, and so are tracking database, artifacts, keys and settings. What can be made again is not: Python
environments, laid-out trees, job folders, logs; and what belongs to a machine: locks, sockets, what the agent wants.
"""

from __future__ import annotations

import json
import os
import re
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import astuple
from pathlib import Path
from typing import Any

from loopwright import __version__
from loopwright.catalog import Store
from loopwright.errors import ConflictError, IntegrityError, LoopwrightError, MachineError, NotFoundError
from loopwright.ledger import Head, Ledger, exists, open_ledger
from loopwright.operations.archive import ArchiveWriter, writing
from loopwright.state import StateFolder

FACTS = "facts.jsonl"
STATE = "state/"
_LONGEST_LISTING = 64 * 1024**2  # bytes: some hundred thousand files
_DIGEST = re.compile(r"\b[0-9a-f]{64}\b")
# Of the state folder's own: what is taken in its own way, made again, or of this machine alone.
_LEFT_OUT = frozenset(
    {
        "environments", "jobs", "replicas", "revisions", "activators", "gateway", "run", "store", "mlflow", "trash",
        "ledger.db", "ledger.db-wal", "ledger.db-shm", "ledger.head", "desired.json", "observed.json",
    }
)  # fmt: skip
_LEFT_OUT_ENDINGS = (".lock", ".log", ".log.1", ".partial", ".sock", ".bell")


def backup(state: StateFolder, target: Path) -> dict[str, Any]:
    """Write the backup. Returns what is in it.

    Raises NotFoundError where there is nothing to back up, ConflictError where the file is there, IntegrityError where the
    ledger does not hold, MachineError where the disk refuses.
    """
    if not exists(state):
        raise NotFoundError(
            f"{state.root} holds no ledger, so there is nothing to back up. --home names another."
        )
    target = target.absolute()
    if target.is_relative_to(state.root):
        raise ConflictError(
            f"{target} lies in the state folder, which it is a backup of. Name a file elsewhere."
        )
    about: dict[str, Any] = {"loopwright": __version__, "created": time.time()}
    with closing(open_ledger(state)) as ledger, writing(target, about) as archive:
        # Beside the file, where room must be, and gone with it.
        with tempfile.TemporaryDirectory(prefix=".backup-", dir=target.parent) as scratch:
            about["ledger"] = _facts(ledger, archive, Path(scratch), names := set[str]())
            _store(state, archive, names)
            _tracking(state, archive, Path(scratch))
        _files(state, archive)
    return {"file": str(target), "size": target.stat().st_size, "files": len(archive.files), **about}


def _facts(ledger: Ledger, archive: ArchiveWriter, scratch: Path, names: set[str]) -> dict[str, Any]:
    """The facts, each a line with all its parts; `names` gathers every digest that one of them mentions."""
    last, lines = None, scratch / FACTS
    with lines.open("w", encoding="utf-8") as file:
        for entry in ledger.scan():
            file.write(json.dumps(astuple(entry), ensure_ascii=False) + "\n")
            names.update(_DIGEST.findall(entry.body))
            last = entry
    verified = ledger.verify()
    if not verified.ok or last is None:
        raise IntegrityError(
            f"{verified.sentence} A backup of such facts could not be restored; restore an earlier one."
        )
    archive.add(FACTS, lines)
    archive.add_bytes("ledger.head", ledger.signed_head(Head(last.sequence, last.hash)))
    return {"sequence": last.sequence, "hash": last.hash, "time": last.time}


def _store(state: StateFolder, archive: ArchiveWriter, names: set[str]) -> None:
    """What facts name, and what the trees among it hold. Something that was deleted as nothing needs it is left out."""
    store, ahead, done = Store(state.store), sorted(names), set[str]()
    while ahead:
        name = ahead.pop()
        if name in done:
            continue
        done.add(name)
        with suppress(NotFoundError, FileNotFoundError):
            file = store.file(name)
            archive.add(f"{STATE}{file.relative_to(state.root)}", file)
            if archive.files[f"{STATE}{file.relative_to(state.root)}"][1] != name:
                raise IntegrityError(
                    f"{file} was changed: it is not what its name says. Restore it from a backup."
                )
            ahead += [held.removesuffix("+x") for held in _held(store, name)]


def _held(store: Store, name: str) -> list[str]:
    """The contents of a tree; none for any other content."""
    with store.file(name).open("rb") as file:
        listed = file.read(1) == b"{" and os.fstat(file.fileno()).st_size < _LONGEST_LISTING
    try:
        return list(store.listing(name).values()) if listed else []
    except (LoopwrightError, UnicodeDecodeError):
        return []  # JSON of another kind


def _tracking(state: StateFolder, archive: ArchiveWriter, scratch: Path) -> None:
    database = state.mlflow / "mlflow.db"
    if database.exists():
        copy = scratch / "mlflow.db"
        try:
            with (
                closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as source,
                closing(sqlite3.connect(copy)) as target,
            ):
                source.backup(target)
        except sqlite3.Error as error:
            raise MachineError(
                f"{database} cannot be backed up to {copy}: {error}. Make room on the disk, or mend the rights."
            ) from error
        archive.add(f"{STATE}mlflow/mlflow.db", copy)
    _folder(state, state.mlflow / "artifacts", archive)


def _files(state: StateFolder, archive: ArchiveWriter) -> None:
    """All else of the state folder: keys, settings, and what other parts keep there."""
    for path in sorted(state.root.iterdir()):
        if path.name in _LEFT_OUT or path.name.startswith(".") or path.name.endswith(_LEFT_OUT_ENDINGS):
            continue
        if path.is_dir() and not path.is_symlink():
            _folder(state, path, archive)
        elif path.is_file():
            archive.add(f"{STATE}{path.name}", path)


def _folder(state: StateFolder, folder: Path, archive: ArchiveWriter) -> None:
    for path in _plain_files(folder):
        with suppress(FileNotFoundError):  # replaced or deleted just now
            archive.add(f"{STATE}{path.relative_to(state.root)}", path)


def _plain_files(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink())
