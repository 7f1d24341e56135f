"""What is in a package, and whether it is what was put there.

    package.json      the manifest: what the package is called, where it comes from, its files and their digests
    model/            what training wrote
    compiled/         the form of the model that the front runs itself, where there is one
    code/             the scoring script, where one answers, and the files packaged with it or with the model
    requirements.lock the resolved lock
    signature.json    inputs, a description of the answer, an example of both
    baseline.json     bins of the training rows

The content digest covers every file but the manifest, and which of them answers: a package is named by what it does, not by
when or by whom it was made. Of a file it is its path and its bytes that count; times, owners and modes do not. Packages that
releases up to 0.3 made (format 1) are named by their files alone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import msgspec

from loopwright.catalog.copying import digest_of
from loopwright.catalog.store import walk
from loopwright.errors import IntegrityError
from loopwright.scoring import ModelFile, Output

MANIFEST = "package.json"


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """The content of package.json; only `files`, what answers, and `digest`, which follows from both, decide identity."""

    format: Literal[1, 2] = 2
    workload: str
    entry: str = ""  # the scoring script, in code/
    model: ModelFile | None = None  # what answers where there is no script, in model/
    outputs: tuple[Output, ...] | None = None  # of a model; a script's answers are its own
    compiled: bool = (
        False  # whether compiled/ has a form of the model that answers without the user's environment
    )
    uncompiled: str = ""  # why a model has no compiled form: a clause
    digest: str  # sha256:...
    files: dict[str, str]  # path -> SHA-256
    lock: str  # SHA-256 of requirements.lock
    python: str  # such as 3.11
    run: str  # of the tracking server
    data_version: str
    commit: str | None
    label: str
    created_by: str


def list_files(folder: Path) -> dict[str, str]:
    """Path -> SHA-256 of every file but the manifest, in the order of their paths; read in pieces, whatever their size."""
    return {path: _digest_of(folder, path) for path in sorted(walk(folder)) if path != MANIFEST}


def identify(files: Mapping[str, str], entry: str, model: ModelFile | None) -> str:
    """The digest that names a package of these files, with this scoring script or model to answer."""
    answers = [f"model/{model.path}", model.flavor] if model else [f"code/{entry}"]
    return _named([sorted(files.items()), answers])


def _named(content: object) -> str:
    return f"sha256:{hashlib.sha256(msgspec.json.encode(content)).hexdigest()}"


def _identity(recorded: Manifest) -> str:
    if recorded.format == 1:
        return _named(sorted(recorded.files.items()))
    return identify(recorded.files, recorded.entry, recorded.model)


def manifest(folder: Path) -> Manifest:
    """The package's manifest; raises IntegrityError where there is none that can be read."""
    try:
        return msgspec.json.decode((folder / MANIFEST).read_bytes(), type=Manifest)
    except (OSError, msgspec.DecodeError) as error:
        raise IntegrityError(
            f"The package {folder} has no {MANIFEST} that can be read: {error}. Package the workload again."
        ) from error


def verify(folder: Path) -> Manifest:
    """Check every file against the manifest and return it; raises IntegrityError for the first that is not as recorded."""
    recorded = manifest(folder)
    if _identity(recorded) != recorded.digest:
        raise _broken(folder, f"{MANIFEST} was changed: what it names does not have its digest")
    found = {path for path in walk(folder) if path != MANIFEST}
    for path in sorted(found | set(recorded.files)):
        if path not in recorded.files:
            raise _broken(folder, f"{path} was added")
        if path not in found:
            raise _broken(folder, f"{path} is missing")
        if _digest_of(folder, path) != recorded.files[path]:
            raise _broken(folder, f"{path} was changed")
    return recorded


def _digest_of(folder: Path, path: str) -> str:
    if (folder / path).is_symlink() or not (folder / path).is_file():
        raise _broken(folder, f"{path} is no plain file")
    try:
        return digest_of(folder / path)
    except OSError as error:
        raise _broken(folder, f"{path} cannot be read ({error.strerror})") from error


def _broken(folder: Path, what: str) -> IntegrityError:
    return IntegrityError(
        f"The package {folder} is not what was made: {what}. Package the workload again, or restore it."
    )
