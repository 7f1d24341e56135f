"""loopwright.lock: the committed lock of a workload, as text. Pure.

It is a requirements file with exact versions and hashes, for every platform (PEP 508 markers), and no address of any
index. Comments of ours at its head say what it was made for, one below each package seals that package: so a change of
the requirements, an edit by hand and a badly merged file are told apart from a good lock, and by the package's name.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from loopwright.errors import Problem
from loopwright.pins import Pin, plain_name, read
from loopwright.training.wanted import Wanted

LOCK_FILE = "loopwright.lock"
_AGAIN = "Run `loopwright lock`."
_HEAD = re.compile(r"# (python|requirement|constraint|packages) (.*)")
_SEAL = "    # seal "


@dataclass(frozen=True)
class Block:
    """The lines of one package: where they begin, what they say, and the seal below them."""

    line: int
    text: str
    seal: str

    @property
    def pin(self) -> Pin | None:
        return next(iter(read(self.text)), None)

    @property
    def name(self) -> str:
        return self.pin.name if self.pin else self.text.split("\n")[0]


@dataclass(frozen=True)
class LockFile:
    """What a lock's text says."""

    python: str
    requirements: tuple[str, ...]
    constraints: tuple[str, ...]
    packages: str  # the seal over all blocks
    blocks: tuple[Block, ...]

    @property
    def versions(self) -> str:
        """The packages with their versions alone: to hold on to them when it is resolved again. Hashes are asked for
        anew, since whoever resolves would take over those of a line that somebody has edited."""
        lines = [
            block.text.partition("\n")[0].removesuffix("\\").strip() for block in self.blocks if block.pin
        ]
        return "".join(f"{line}\n" for line in lines)

    @property
    def body(self) -> str:
        """The lines that an installer reads: what an environment is named by."""
        return "".join(block.text for block in self.blocks)


def write(wanted: Wanted, python: str, body: str) -> str:
    """The whole text of a lock with this body, a resolved requirements file."""
    blocks = _blocks(body)
    head = [
        f"# Written by `loopwright lock` from {wanted.files[0] if wanted.files else 'nothing'}. Commit it; do not edit it.",
        f"# python {python}",
        *(f"# requirement {text}" for text in _texts(wanted)["requirements"]),
        *(f"# constraint {text}" for text in _texts(wanted)["constraints"]),
        f"# packages {_seal_of_all(blocks)}",
    ]
    sealed = [f"{block.text}{_SEAL}{_seal(block.text)}\n" for block in blocks]
    return "\n".join(head) + "\n" + "".join(sealed)


def parse(text: str) -> LockFile:
    """What a text says, whether right or wrong; `problems` judges it."""
    found: dict[str, list[str]] = {"python": [], "requirement": [], "constraint": [], "packages": []}
    for line in text.splitlines():
        match = _HEAD.fullmatch(line)
        if match:
            found[match[1]].append(match[2].strip())
    one = {name: (found[name] or [""])[0] for name in ("python", "packages")}
    return LockFile(
        one["python"],
        tuple(found["requirement"]),
        tuple(found["constraint"]),
        one["packages"],
        tuple(_blocks(text)),
    )


def problems(lock: LockFile, wanted: Wanted, python: str | None, file: str = LOCK_FILE) -> list[Problem]:
    """Why a lock cannot be used for what is wanted now; `python` is the version that the spec asks for, if it does."""
    edited = list(_edited(lock, file))
    if edited:
        return edited
    asked = wanted.python or python
    found = []
    if asked and lock.python != asked:
        found.append(Problem(file, 2, 1, "python", f"a lock for Python {lock.python}", asked, _AGAIN))
    return found + list(_unfit(lock, wanted, file))


def _edited(lock: LockFile, file: str) -> Iterator[Problem]:
    for block in lock.blocks:
        if block.seal != _seal(block.text):
            shown = block.text.split(" ")[0].strip()
            found = (
                f"`{shown}`, changed since it was written" if block.seal else f"`{shown}` without its seal"
            )
            yield Problem(file, block.line, 1, block.name, found, "the lines as they were locked", _AGAIN)
            return
    if lock.packages != _seal_of_all(lock.blocks):
        expected = f"what was locked ({lock.packages.split(' ')[0] or 'no'} packages)"
        yield Problem(
            file, 1, 1, "", f"{len(lock.blocks)} packages, some added or taken out", expected, _AGAIN
        )


def _unfit(lock: LockFile, wanted: Wanted, file: str) -> Iterator[Problem]:
    """Requirements that came, went or changed since the lock was made."""
    source = wanted.files[0] if wanted.files else "the requirements"
    for kind, locked in (("requirements", lock.requirements), ("constraints", lock.constraints)):
        lines = {_plain(line.text): line for line in getattr(wanted, kind)}
        gone = [text for text in locked if text not in lines]
        for text, line in lines.items():
            if text in locked:
                continue
            before = next((other for other in gone if _package(other) == _package(text)), None)
            if before:
                gone.remove(before)
            expected = (
                f"`{before}`, for which {file} was made" if before else f"only what {file} was made for"
            )
            yield line.problem(f"`{text}`", expected, _AGAIN)
        for text in gone:
            yield Problem(
                file, 1, 1, "", f"a lock made for `{text}`", f"one for what {source} asks for now", _AGAIN
            )


def _package(requirement: str) -> str:
    return plain_name(re.split(r"[^A-Za-z0-9._-]", requirement, maxsplit=1)[0])


def _texts(wanted: Wanted) -> dict[str, list[str]]:
    return {
        kind: sorted({_plain(line.text) for line in lines})
        for kind, lines in (("requirements", wanted.requirements), ("constraints", wanted.constraints))
    }


def _plain(text: str) -> str:
    """A requirement without its own hashes: those are checked by who installs."""
    return re.split(r"\s--hash", text, maxsplit=1)[0]


def _blocks(text: str) -> list[Block]:
    """Every package's lines: one that is not indented, and the indented ones below it."""
    blocks: list[Block] = []
    lines: list[str] = []
    start, seal = 0, ""

    def close() -> None:
        if lines:
            blocks.append(Block(start, "".join(f"{line}\n" for line in lines), seal))

    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith(_SEAL):
            seal = line.removeprefix(_SEAL).strip()
        elif line.startswith("#") or not line.strip():
            continue
        elif line.startswith((" ", "\t")):
            lines.append(line)
        else:
            close()
            lines, start, seal = [line], number, ""
    close()
    return blocks


def _seal(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _seal_of_all(blocks: Sequence[Block]) -> str:
    return f"{len(blocks)} {_seal(''.join(block.text for block in blocks))}"
