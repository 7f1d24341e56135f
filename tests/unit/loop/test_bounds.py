"""What a control plane that lives for months keeps in memory, and how often it reads its files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from loopwright.errors import NotFoundError
from loopwright.loop.keys import endpoint_key
from loopwright.loop.progress import Progress, ProgressBoard
from loopwright.state import StateFolder


def test_the_board_lets_go_of_what_changed_longest_ago_and_never_of_what_is_watched() -> None:
    board = ProgressBoard()
    for number in range(300):
        board.publish(Progress(f"toy-{number}", "toy", "succeeded", (), 0.0))
    board.forget({"toy-0"})
    assert board.get("toy-0")[1].change == "toy-0"
    assert board.get("toy-299")[1].change == "toy-299"
    with pytest.raises(NotFoundError):
        board.get("toy-1")


def test_keys_are_read_again_only_when_the_file_is_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = StateFolder(tmp_path)
    first = endpoint_key(state, "prod", "toy")
    assert endpoint_key(state, "prod", "toy") == first
    reads: list[Path] = []
    read = Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda path: (reads.append(path), read(path))[1])
    for _ in range(5):
        assert endpoint_key(state, "prod", "toy") == first
    assert reads == []
    state.endpoint_keys.write_text(json.dumps({"prod/toy": "a key of the user's own"}))
    assert endpoint_key(state, "prod", "toy") == "a key of the user's own"
