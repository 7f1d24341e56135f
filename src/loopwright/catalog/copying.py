"""Copies of files: streamed, or shared by the file system where it can do that, and never whole in memory."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import stat
from pathlib import Path

_CHUNK = 1 << 20  # bytes
_FICLONE = (
    0x40049409  # Linux: share the blocks of another file (Btrfs, XFS); a later change of one leaves the other
)


def digest_of(path: Path) -> str:
    """SHA-256 of a file's content, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def copy(source: Path, target: Path, mode: int, durable: bool) -> str:
    """Copy a file's content to a new file; returns the digest of what was written. `durable` waits for the disk."""
    with source.open("rb") as reader, target.open("xb+") as writer:
        if not _share_blocks(reader.fileno(), writer.fileno()):
            shutil.copyfileobj(reader, writer, _CHUNK)
        writer.flush()
        writer.seek(0)
        digest = hashlib.file_digest(
            writer, "sha256"
        ).hexdigest()  # from the copy: the source may have changed since
        os.fchmod(writer.fileno(), mode)
        if durable:
            os.fsync(writer.fileno())
    return digest


def write(target: Path, content: bytes, mode: int) -> None:
    """Write a new file and wait until it is on the disk."""
    with target.open("xb") as writer:
        writer.write(content)
        writer.flush()
        os.fchmod(writer.fileno(), mode)
        os.fsync(writer.fileno())


def _share_blocks(source: int, target: int) -> bool:
    try:
        fcntl.ioctl(target, _FICLONE, source)
    except OSError:
        return False
    return True


def sync_folder(path: Path) -> None:
    """Wait until the names in a folder are on the disk."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove_folder(folder: Path) -> None:
    """Remove a folder, read-only folders in it included."""
    for here, _, _ in os.walk(folder):
        Path(here).chmod(0o700)
    shutil.rmtree(folder)


def is_executable(info: os.stat_result) -> bool:
    """Whether its owner may run the file."""
    return bool(info.st_mode & stat.S_IXUSR)
