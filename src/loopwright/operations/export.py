"""The record as a file for auditors, with an anchor beside it that says how to check it without us."""

from __future__ import annotations

import csv
import getpass
import hashlib
import json
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any, Literal

from loopwright import __version__
from loopwright.errors import ConflictError, IntegrityError, MachineError
from loopwright.ledger import Entry, Ledger
from loopwright.operations.telling import utc
from loopwright.state import replace_file

Format = Literal["jsonl", "csv"]
COLUMNS = (
    *("sequence", "time", "time_bits", "epoch", "kind", "workload"),
    *("key", "actor", "body", "previous", "hash", "signature"),
)
_HOW = (
    "Each fact's hash is the SHA-256 of the UTF-8 text of this JSON array without spaces: [sequence, time_bits, epoch, kind, "
    "workload, key, actor, body, previous], where body is text. previous is the hash of the fact before, 64 zeros for the "
    "first. time_bits is the time in seconds since the epoch as C's hexadecimal notation of a double; time is the same for "
    "people. The last fact's hash stands for the whole record: keep it where the record's keepers cannot change it. "
    "signature is an HMAC by the ledger's key, which only its keepers can check."
)


def export(ledger: Ledger, file: Path, form: Format) -> dict[str, Any]:
    """Write every fact to a new file, verified on the way, and FILE.anchor.json beside it; returns the anchor.

    Raises ConflictError for a file that is there, IntegrityError where the record is not whole; then nothing is written.
    """
    beside = file.with_name(f"{file.name}.anchor.json")
    for path in (file, beside):
        if path.exists():
            raise ConflictError(f"{path} is there already. Name another file, or remove it.")
    try:
        return _write(ledger, file, beside, form)
    except OSError as error:
        raise MachineError(
            f"{file} cannot be written: {error.strerror}. Name another folder, or make room."
        ) from error


def _write(ledger: Ledger, file: Path, beside: Path, form: Format) -> dict[str, Any]:
    last: list[Entry] = []
    with ExitStack() as stack:
        out = stack.enter_context(
            tempfile.NamedTemporaryFile(
                "w+", dir=file.parent, prefix=f".{file.name}.", encoding="utf-8", newline="", delete=False
            )
        )
        temporary = Path(out.name)
        stack.callback(temporary.unlink, missing_ok=True)
        write = _writers[form](out)

        def seen(entry: Entry) -> None:
            write(_row(entry))
            last[:] = [entry]

        found = ledger.verify(seen)
        if not found.ok:
            raise IntegrityError(
                f"{found.sentence} Nothing was exported: `loopwright history verify` says the same."
            )
        out.flush()
        anchor = _anchor(form, found.entries, last[0].hash if last else "", found.sentence, temporary)
        temporary.replace(file)
        replace_file(beside, json.dumps(anchor, indent=1).encode() + b"\n", durable=True)
    return anchor


def _anchor(form: Format, facts: int, last: str, sentence: str, file: Path) -> dict[str, Any]:
    with file.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
    return {
        "format": form,
        "columns": COLUMNS,
        "facts": facts,
        "last_hash": last,
        "verification": sentence,
        "sha256": digest,
        "exported_at": utc(time.time()),
        "by": getpass.getuser(),
        "loopwright": __version__,
        "how_to_check": _HOW,
    }


def _row(entry: Entry) -> dict[str, Any]:
    row = {name: getattr(entry, name) for name in COLUMNS if name != "time_bits"}
    return row | {"time": utc(entry.time), "time_bits": entry.time.hex()}


def _jsonl(out: IO[str]) -> Callable[[dict[str, Any]], object]:
    return lambda row: out.write(json.dumps({name: row[name] for name in COLUMNS}, ensure_ascii=False) + "\n")


def _csv(out: IO[str]) -> Callable[[dict[str, Any]], object]:
    writer = csv.DictWriter(out, COLUMNS)
    writer.writeheader()
    return writer.writerow


_writers: dict[Format, Callable[[IO[str]], Callable[[dict[str, Any]], object]]] = {
    "jsonl": _jsonl,
    "csv": _csv,
}
