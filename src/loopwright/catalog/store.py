"""Files and folders by their content: put once, never changed.

A content's name is its SHA-256; a file that its owner may run has `+x` behind it where it stands in a folder. A tree is
a folder's listing (path -> content name), and its digest names that listing, so equal folders have equal digests.

    files/ab/abcd...    contents, read-only; listings of trees are contents too
    trees/ab/abcd...    trees laid out as read-only folders, when first asked for
    tmp/                what is being written; renamed into place when it is whole and on the disk
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from loopwright.catalog.contents import EXECUTABLE, Contents, explained
from loopwright.catalog.copying import remove_folder, sync_folder
from loopwright.errors import IntegrityError, NotFoundError, PermanentError

KINDS = ("files", "trees")
_LISTING = b'{"files": {'  # how the listing of a tree begins


@dataclass(frozen=True)
class Kept:
    """A content, or a tree laid out; `touched`: seconds since the epoch when it was last put or asked for."""

    kind: str  # one of KINDS
    name: str  # its digest
    touched: float


class Store:
    """A content-addressed store in one folder. Safe to use from several threads and processes."""

    def __init__(self, root: Path) -> None:
        self.root = root
        with explained(root):
            self._contents = Contents(root)
            (root / "trees").mkdir(exist_ok=True, mode=0o700)

    def put_file(self, path: Path) -> str:
        """Take a copy of a file (a link is followed); returns its digest. An unchanged file is not read again."""
        with explained(path):
            (name,) = self._contents.add_files([path.resolve()])
        return name.removesuffix(EXECUTABLE)

    def put_bytes(self, content: bytes) -> str:
        """Keep bytes; returns their digest."""
        with explained(self.root):
            return self._contents.add_bytes(content)

    def put_files(self, folder: Path, files: Iterable[str]) -> dict[str, str]:
        """Take copies of these files of a folder; returns path -> content name, in order.

        Links to files inside the folder are taken as those files. Raises PermanentError for a link that leads out of
        the folder, dangles or leads to a folder, and for anything that is no plain file.
        """
        with explained(folder):
            root, paths = folder.resolve(), sorted(set(files))
            names = self._contents.add_files([_real(folder, root, path) for path in paths])
        return dict(zip(paths, names, strict=True))

    def put_tree(self, folder: Path, files: Iterable[str] | None = None) -> str:
        """Take a copy of a folder, or of these files in it, as `put_files` does; returns the tree's digest."""
        return self.put_listing(self.put_files(folder, walk(folder) if files is None else files))

    def put_listing(self, files: Mapping[str, str]) -> str:
        """Make a tree of contents that are in the store (path -> content name); returns its digest."""
        for path, name in files.items():
            _check_path(path)
            self.file(name)
        return self.put_bytes(written_listing(files))

    def has_tree(self, digest: str) -> bool:
        """Whether a tree and every content in it is here."""
        return self._contents.has(digest) and all(map(self._contents.has, self.listing(digest).values()))

    def file(self, name: str) -> Path:
        """The read-only file with this content; raises NotFoundError where it is not here."""
        return self._contents.file(name)

    def listing(self, digest: str) -> dict[str, str]:
        """A tree's files: path -> content name. Raises IntegrityError where the listing was changed."""
        with explained(self.root):
            content = self.file(digest).read_bytes()
        if hashlib.sha256(content).hexdigest() != digest:
            raise IntegrityError(
                f"The listing {digest} in the store {self.root} was changed; restore the store from a backup."
            )
        try:
            files = json.loads(content)["files"]
            return {str(path): str(name) for path, name in files.items()}
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise NotFoundError(f"The store's content {digest} is a file, not a tree.") from error

    def tree(self, digest: str) -> Path:
        """The read-only folder with this tree; laid out at the first call."""
        folder = self.root / "trees" / digest[:2] / digest
        if not self._contents.touch(folder):
            listing = self.listing(digest)
            with explained(self.root):
                temporary = self._contents.temporary()
                self._lay_out(listing, temporary)
                _move_folder(temporary, folder)
        return folder

    def parts(self, digest: str) -> frozenset[str]:
        """The digests of a tree's contents; none where the content is not here, or is a file."""
        if not self._contents.has(digest):
            return frozenset()
        with explained(self.root), self.file(digest).open("rb") as file:
            if file.read(len(_LISTING)) != _LISTING:
                return frozenset()
        try:
            return frozenset(name.removesuffix(EXECUTABLE) for name in self.listing(digest).values())
        except NotFoundError:  # a user's file that begins like one
            return frozenset()

    def kept(self) -> Iterator[Kept]:
        """Everything that is here: contents, and trees that were laid out."""
        for kind in KINDS:
            for path in (self.root / kind).glob("??/*"):
                with suppress(FileNotFoundError):
                    yield Kept(kind, path.name, path.stat().st_mtime)

    def place(self, kind: str, name: str) -> Path:
        """Where a content (`files`) or a tree that was laid out (`trees`) is."""
        return self.root / kind / name[:2] / name

    def take_away(self, kind: str, name: str, before: float, to: Path) -> bool:
        """Move it to `to`, unless it was put or asked for after `before` (seconds since the epoch); whether it was moved."""
        path = self.place(kind, name)
        with self._contents.held(alone=True):
            try:
                if path.stat().st_mtime >= before:
                    return False
                if path.is_dir():
                    path.chmod(0o700)  # a folder must be writable to be moved
                path.rename(to)
            except FileNotFoundError:
                return False
        return True

    def checkout(self, files: Mapping[str, str], folder: Path) -> None:
        """Copy contents into a new folder as private, writable files; what an earlier attempt left there is replaced."""
        with explained(folder):
            if folder.exists():
                remove_folder(folder)
            folder.mkdir(parents=True)
            for path, name in files.items():
                _check_path(path)
                target = folder / path
                target.parent.mkdir(parents=True, exist_ok=True)
                self._contents.copy_out(
                    name, target, 0o755 if name.endswith(EXECUTABLE) else 0o644, durable=False
                )

    def _lay_out(self, listing: Mapping[str, str], folder: Path) -> None:
        folder.mkdir()
        folders = {folder}
        for path, name in listing.items():
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            folders.update(parent for parent in target.parents if parent.is_relative_to(folder))
            executable = name.endswith(EXECUTABLE)
            # A link is safe only while its mode keeps writers out, and no mode keeps root out.
            if executable or os.geteuid() == 0:
                self._contents.copy_out(name, target, 0o555 if executable else 0o444, durable=True)
            else:
                target.hardlink_to(self.file(name))
        for made in sorted(folders, reverse=True):
            sync_folder(made)
            if made != folder:  # a folder must be writable to be moved
                made.chmod(0o555)


def written_listing(files: Mapping[str, str]) -> bytes:
    """The content that names a tree."""
    return json.dumps({"tree": 1, "files": dict(files)}, sort_keys=True, ensure_ascii=False).encode()


def walk(folder: Path, enter: Callable[[Path], bool] = lambda _: True) -> Iterator[str]:
    """The paths of all files below a folder, of those folders inside it that `enter` says yes to.

    Links to folders are given as they are, not followed.
    """
    for here, folders, files in os.walk(folder, onerror=_raise):
        inside = Path(here).relative_to(folder)
        links = [name for name in folders if (Path(here) / name).is_symlink()]
        yield from ((inside / name).as_posix() for name in (*files, *links))
        folders[:] = [name for name in folders if name not in links and enter(inside / name)]


def _raise(error: OSError) -> None:
    raise error


def _real(folder: Path, root: Path, path: str) -> Path:
    """Where a file inside a folder really lies: inside it too."""
    _check_path(path)
    real = (folder / path).resolve()
    if real == root / path:
        return real
    where = f"{folder / path} is a link, or lies behind one, to {real}"
    if not real.is_relative_to(root):
        raise PermanentError(f"{where}, outside of {root}; copy the file there, or leave the link out.")
    if not real.exists():
        raise PermanentError(f"{where}, which does not exist; mend or remove the link.")
    if real.is_dir():
        raise PermanentError(f"{where}, a folder; only links to files can be stored.")
    return real


def _check_path(path: str) -> None:
    pure = PurePosixPath(path)
    if pure.is_absolute() or not path or pure.as_posix() != path or ".." in pure.parts or "\0" in path:
        raise PermanentError(f"{path!r} is not a plain path inside a folder.")
    try:
        path.encode()
    except UnicodeEncodeError as error:
        raise PermanentError(f"The file name {os.fsencode(path)!r} is not UTF-8; rename the file.") from error


def _move_folder(temporary: Path, folder: Path) -> None:
    folder.parent.mkdir(mode=0o700, exist_ok=True)
    try:
        temporary.rename(folder)
    except OSError:
        remove_folder(temporary)
        if not folder.is_dir():  # else another was first, with the same
            raise
    folder.chmod(0o555)
    sync_folder(folder.parent)
