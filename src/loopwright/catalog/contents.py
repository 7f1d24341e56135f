"""File contents by their digest: each kept once, read-only, whole or not at all."""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import secrets
import stat
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from loopwright.catalog.copying import copy, digest_of, is_executable, remove_folder, sync_folder, write
from loopwright.catalog.known import KnownDigests
from loopwright.errors import IntegrityError, MachineError, NotFoundError, PermanentError, TemporaryError

EXECUTABLE = "+x"  # behind a digest: a file that its owner may run
_NAME = re.compile(r"[0-9a-f]{64}(\+x)?")
_ATTEMPTS = 3
_LEFT_BEHIND = 24 * 3600.0  # seconds after which what lies in tmp/ has no writer any more


class Contents:
    """A folder of contents. Safe to use from several threads and processes."""

    def __init__(self, root: Path) -> None:
        self._root = root
        for folder in ("files", "tmp"):
            (root / folder).mkdir(parents=True, exist_ok=True, mode=0o700)
        self._known = KnownDigests(root / "known.json")
        self._sweep()

    def add_files(self, paths: Iterable[Path]) -> list[str]:
        """Take copies of files; returns their digests, with `+x` where they are executable, once all are on the disk."""
        unsettled: set[Path] = set()
        names = [self._add_file(path, unsettled) for path in paths]
        for folder in unsettled:  # once for all: with each file it would double the time
            sync_folder(folder)
        self._known.save()
        return names

    def _add_file(self, path: Path, unsettled: set[Path]) -> str:
        for _ in range(_ATTEMPTS):
            info, read_at = path.stat(), time.time_ns()
            require_plain(path, info)
            digest = self._known.get(path, info)
            if digest is None or not self._here(digest):
                digest = self._read(path, unsettled)
            after = path.stat()
            if (after.st_mtime_ns, after.st_size, after.st_ino) == (
                info.st_mtime_ns,
                info.st_size,
                info.st_ino,
            ):
                self._known.put(path, info, digest, read_at)
                return digest + EXECUTABLE if is_executable(info) else digest
        raise TemporaryError(
            f"{path} keeps changing while it is read; try again when it is whole.", delay=2.0
        )

    def add_bytes(self, content: bytes) -> str:
        """Keep bytes; returns their digest."""
        digest = hashlib.sha256(content).hexdigest()
        if not self._here(digest):
            temporary = self.temporary()
            write(temporary, content, 0o444)
            sync_folder(self._keep(temporary, digest))
        return digest

    def has(self, name: str) -> bool:
        """Whether a content is here."""
        return _NAME.fullmatch(name) is not None and self._place(name).exists()

    def file(self, name: str) -> Path:
        """The read-only file; raises NotFoundError where it is not here."""
        if not self.has(name):
            raise NotFoundError(
                f"The store {self._root} has no content {name!r}; it was deleted or never put there."
            )
        return self._place(name)

    def copy_out(self, name: str, target: Path, mode: int, durable: bool) -> None:
        """Copy a content to a new file; raises IntegrityError where it is not what its name says any more."""
        if copy(self.file(name), target, mode, durable) != name.removesuffix(EXECUTABLE):
            raise IntegrityError(
                f"The content {name} in the store {self._root} was changed; restore the store from a backup."
            )

    def temporary(self) -> Path:
        """A free name for what is being written."""
        return self._root / "tmp" / secrets.token_hex(16)

    @contextmanager
    def held(self, alone: bool = False) -> Iterator[None]:
        """Keep what is here as it is; `alone`: be the only one who holds it, to take something away."""
        descriptor = os.open(self._root / "lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
            yield
        finally:
            os.close(descriptor)

    def touch(self, path: Path) -> bool:
        """Whether a file or folder of the store is there; from now on it counts as new, and is not cleaned away."""
        with self.held():
            try:
                os.utime(path)
            except FileNotFoundError:
                return False
        return True

    def _here(self, digest: str) -> bool:
        return self.touch(self._place(digest))

    def _place(self, name: str) -> Path:
        digest = name.removesuffix(EXECUTABLE)
        return self._root / "files" / digest[:2] / digest

    def _read(self, path: Path, unsettled: set[Path]) -> str:
        digest = digest_of(path)
        if not self._here(digest):
            temporary = self.temporary()
            digest = copy(path, temporary, 0o444, durable=True)
            unsettled.add(self._keep(temporary, digest))
        return digest

    def _keep(self, temporary: Path, digest: str) -> Path:
        """Rename what is written into its place; returns the folder, whose new name is not on the disk yet."""
        place = self._place(digest)
        if not place.parent.exists():
            place.parent.mkdir(mode=0o700, exist_ok=True)
            sync_folder(place.parent.parent)
        temporary.replace(place)
        return place.parent

    def _sweep(self) -> None:
        oldest = time.time() - _LEFT_BEHIND
        for left in (self._root / "tmp").iterdir():
            if left.lstat().st_mtime < oldest:
                remove_folder(left) if left.is_dir() else left.unlink(missing_ok=True)


def require_plain(path: Path, info: os.stat_result) -> None:
    """Raise PermanentError for a folder, a pipe or a device: reading one of these may never end."""
    if not stat.S_ISREG(info.st_mode):
        raise PermanentError(f"{path} is not a plain file; only plain files can be stored.")


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn what the system says into one of our errors."""
    try:
        yield
    except FileNotFoundError as error:
        raise NotFoundError(f"{error.filename or path} does not exist.") from error
    except OSError as error:
        reason = error.strerror or os.strerror(error.errno or 0)
        raise MachineError(
            f"{error.filename or path} cannot be read or stored: {reason}. Check its permissions and the disk's free space."
        ) from error
