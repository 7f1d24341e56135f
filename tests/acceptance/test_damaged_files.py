"""A state file that is not what was written: one sentence that names it, and nothing is changed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from driving import Cli
from old_state import unpack_old_state

pytestmark = pytest.mark.acceptance


def cut(file: Path) -> None:
    content = file.read_bytes()
    file.write_bytes(content[: len(content) // 2])


def overwrite(file: Path) -> None:
    file.write_bytes(b"\x00\xff no file of ours " * 200)


def empty(file: Path) -> None:
    file.write_bytes(b"")


DAMAGES = [
    ("ledger.db", overwrite),
    ("ledger.db", cut),
    ("ledger.db", empty),
    ("ledger.key", cut),
    ("ledger.head", empty),
    ("settings.json", overwrite),
    ("endpoint-keys.json", cut),
    ("desired.json", cut),
    ("desired.json", overwrite),
]


@pytest.mark.parametrize(("name", "damage"), DAMAGES, ids=[f"{name} {do.__name__}" for name, do in DAMAGES])
def test_the_file_is_named_and_nothing_is_changed(
    tmp_path: Path, name: str, damage: Callable[[Path], None]
) -> None:
    home = unpack_old_state(tmp_path)
    (home / "settings.json").write_text("{}")
    damage(home / name)
    before = {path: path.read_bytes() for path in home.glob("*.*") if "ledger.db" not in path.name}
    done = Cli(home)("server", expect=1)
    (sentence,) = [line for line in done.stderr.splitlines() if not line.startswith("{")]
    assert name.removesuffix(".db") in sentence or "cut off" in sentence
    assert any(word in sentence for word in ("Restore", "restore", "remove", "Remove"))
    for path, content in before.items():
        if path.name not in ("settings.json", "ledger.head") or path.name == name:
            assert path.read_bytes() == content, path
