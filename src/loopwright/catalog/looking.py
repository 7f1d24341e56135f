"""A store that is only looked at: names contents as the store does and says what is there, and keeps and makes nothing.

For `plan`, which must change nothing, and must work where no store was ever made.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path

from loopwright.catalog.contents import EXECUTABLE, Contents, require_plain
from loopwright.catalog.copying import digest_of, is_executable
from loopwright.catalog.known import KnownDigests
from loopwright.catalog.store import Store, written_listing
from loopwright.errors import NotFoundError


class LookingStore(Store):
    """As `Store`, but what is put is only named."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._contents = _LookingContents(root)

    def put_listing(self, files: Mapping[str, str]) -> str:
        """The digest that the tree would have; its contents need not be here."""
        return self.put_bytes(written_listing(files))

    def tree(self, digest: str) -> Path:
        """The folder of a tree that was laid out before; raises NotFoundError for another."""
        folder = self.root / "trees" / digest[:2] / digest
        if not folder.is_dir():
            raise NotFoundError(f"The store {self.root} has not laid out the tree {digest}.")
        return folder


class _LookingContents(Contents):
    def __init__(self, root: Path) -> None:
        self._root = root
        self._known = KnownDigests(root / "known.json")  # an unchanged file need not be read here either

    def add_files(self, paths: Iterable[Path]) -> list[str]:
        return [self._named(path) for path in paths]

    def add_bytes(self, content: bytes) -> str:
        return hashlib.sha256(content).hexdigest()

    def _named(self, path: Path) -> str:
        info = path.stat()
        require_plain(path, info)
        digest = self._known.get(path, info) or digest_of(path)
        return digest + EXECUTABLE if is_executable(info) else digest
