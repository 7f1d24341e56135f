"""The file of a backup: a compressed tar whose last member, the manifest, names every other one with size and SHA-256.

Written under another name and renamed when all of it is on the disk, so that what has the name is whole. Read once, from
front to end: whatever is cut off, added or changed is found before anything is done with it.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import secrets
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath
from typing import IO, Any

from loopwright.errors import ConflictError, IntegrityError, MachineError

MANIFEST = "manifest.json"
FORMAT = 1
_LEVEL = 3  # of compression: models hardly get smaller, and text does at any level
_CHUNK = 1024 * 1024


class ArchiveWriter:
    """Takes files, one after the other."""

    def __init__(self, archive: tarfile.TarFile) -> None:
        self._archive = archive
        self.files: dict[str, list[Any]] = {}  # name -> size, digest

    def add(self, name: str, path: Path) -> None:
        """A file as it is now. Raises FileNotFoundError where it has gone."""
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            reader = _Digesting(file, size)
            self._archive.addfile(_member(name, size), reader)
            self.files[name] = [size, reader.hexdigest()]

    def add_bytes(self, name: str, content: bytes) -> None:
        """A file with this content."""
        self._archive.addfile(_member(name, len(content)), io.BytesIO(content))
        self.files[name] = [len(content), hashlib.sha256(content).hexdigest()]


class _Digesting(io.RawIOBase):
    """Reads a file, and its digest with it; exactly `size` bytes, whatever is appended meanwhile."""

    def __init__(self, file: IO[bytes], size: int) -> None:
        self._file, self._left = file, size
        self._digest = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        content = self._file.read(self._left if size < 0 else min(size, self._left))
        self._left -= len(content)
        self._digest.update(content)
        return content

    def hexdigest(self) -> str:
        return self._digest.hexdigest()


@contextmanager
def writing(target: Path, about: dict[str, Any]) -> Iterator[ArchiveWriter]:
    """Write an archive; `about` goes into its manifest, as it is at the end.

    Raises ConflictError where the file is there already, MachineError where it cannot be written.
    """
    if target.exists():
        raise ConflictError(f"{target} is there already, and a backup is never replaced. Name another file.")
    partial = target.with_name(f".{target.name}.{secrets.token_hex(4)}.partial")
    try:
        with open(partial, "xb", opener=_private) as file:
            with (
                gzip.GzipFile(fileobj=file, mode="wb", compresslevel=_LEVEL, filename="") as packed,
                tarfile.open(fileobj=packed, mode="w|") as archive,
            ):
                writer = ArchiveWriter(archive)
                yield writer
                manifest = {"format": FORMAT, **about, "files": writer.files}
                writer.add_bytes(MANIFEST, json.dumps(manifest, indent=1).encode())
            file.flush()
            os.fsync(file.fileno())
        os.link(partial, target)  # fails where the name has come to be meanwhile, which a rename does not
        _sync(target.parent)
    except FileExistsError as error:
        raise ConflictError(f"{target} has come to be meanwhile. Name another file.") from error
    except OSError as error:
        raise MachineError(
            f"The backup {target} cannot be written: {error.filename or target}: {error.strerror or error}. Make room, or mend the rights."
        ) from error
    finally:
        with suppress(OSError):
            partial.unlink()


def unpack(source: Path, folder: Path) -> dict[str, Any]:
    """Write an archive's files below a folder, and return its manifest.

    Raises IntegrityError where the file is no backup, or not what was written, MachineError where it cannot be read or the
    disk refuses. What was written below the folder is then of no use.
    """
    found: dict[str, list[Any]] = {}
    manifest: dict[str, Any] | None = None
    try:
        with gzip.open(source) as packed, tarfile.open(fileobj=packed, mode="r|") as archive:
            for member in archive:
                content = archive.extractfile(member)
                if not member.isreg() or content is None or manifest is not None:
                    raise IntegrityError(f"{source} is no backup of Loopwright: it holds {member.name!r}.")
                if member.name == MANIFEST:
                    manifest = json.loads(content.read())
                else:
                    path = folder / _plain(member.name, source)
                    found[member.name] = _write(content, path)
    except (tarfile.TarError, EOFError, zlib.error, ValueError) as error:
        raise IntegrityError(
            f"{source} is not a whole backup of Loopwright ({error}). Take another."
        ) from error
    except OSError as error:
        raise _refused(source, error) from error
    return _checked(source, manifest, found)


def _checked(source: Path, manifest: object, found: dict[str, list[Any]]) -> dict[str, Any]:
    if not isinstance(manifest, dict) or not isinstance(manifest.get("files"), dict):
        raise IntegrityError(
            f"{source} is not a whole backup of Loopwright: its end is missing. Take another."
        )
    if manifest.get("format") != FORMAT:
        raise MachineError(
            f"{source} has format {manifest.get('format')}; this Loopwright knows format {FORMAT}. Install a newer one."
        )
    wanted = manifest["files"]
    wrong = sorted(name for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name))
    if wrong:
        raise IntegrityError(f"{source} was changed: {wrong[0]} is not what was backed up. Take another.")
    return manifest


def _refused(source: Path, error: OSError) -> MachineError | IntegrityError:
    if isinstance(error, FileNotFoundError) and error.filename == str(source):
        return MachineError(f"There is no file {source}.")
    if error.filename is None and error.errno is None:  # gzip's own complaints come without a number
        return IntegrityError(f"{source} is not a whole backup of Loopwright ({error}). Take another.")
    return MachineError(
        f"{source} cannot be restored: {error.strerror or error}. Make room, or mend the rights."
    )


def _plain(name: str, source: Path) -> PurePosixPath:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or not path.parts or "\0" in name:
        raise IntegrityError(f"{source} is no backup of Loopwright: it holds {name!r}.")
    return path


def _write(content: IO[bytes], path: Path) -> list[Any]:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    digest, size = hashlib.sha256(), 0
    with open(path, "xb", opener=_private) as file:
        while chunk := content.read(_CHUNK):
            digest.update(chunk)
            size += len(chunk)
            file.write(chunk)
        file.flush()
        os.fsync(file.fileno())
    return [size, digest.hexdigest()]


def _member(name: str, size: int) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size, member.mode = size, 0o600
    return member


def _private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_CLOEXEC, 0o600)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
