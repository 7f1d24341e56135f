"""A store whose writers are killed."""

import hashlib
import random
import subprocess
import sys
from pathlib import Path

import pytest

from loopwright.catalog import Store

WRITER = """
import sys
from pathlib import Path
from loopwright.catalog import Store
store, number = Store(Path(sys.argv[1])), 0
print("ready", flush=True)
while True:
    number += 1
    names = {f"deep/{n}": store.put_bytes(f"{sys.argv[2]} {number} {n}".encode() * 5000) for n in range(4)}
    print(digest := store.put_listing(names), flush=True)
    store.tree(digest)
"""


@pytest.mark.chaos
def test_a_killed_writer_leaves_nothing_broken(tmp_path: Path) -> None:
    chance, told = random.Random(7), []
    for number in range(8):
        command = [sys.executable, "-c", WRITER, str(tmp_path), str(number)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
            assert writer.stdout is not None
            told += [writer.stdout.readline().strip() for _ in range(chance.randrange(1, 6))][1:]
            try:
                writer.wait(chance.random() * 0.02)
            except subprocess.TimeoutExpired:
                writer.kill()
            told += [line.strip() for line in writer.stdout if line.endswith("\n") and line != "ready\n"]
    store = Store(tmp_path)
    assert len(told) > 8
    for digest in told:
        assert [path.stat().st_size > 0 for path in store.tree(digest).glob("deep/*")] == [True] * 4
    for path in (tmp_path / "files").rglob("*"):
        assert path.is_dir() or hashlib.sha256(path.read_bytes()).hexdigest() == path.name
    for folder in (tmp_path / "trees").glob("*/*"):
        names = store.listing(folder.name)
        assert {f"deep/{path.name}" for path in (folder / "deep").iterdir()} == set(names)
