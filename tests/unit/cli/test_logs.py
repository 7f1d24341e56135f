"""Following a log: whole lines, once each, also over a rotation."""

from __future__ import annotations

from pathlib import Path

from loopwright.cli.logs import Tail


def test_each_line_is_told_once_and_whole(tmp_path: Path) -> None:
    file = tmp_path / "log.txt"
    tail = Tail(file)
    assert tail.more() == []  # not there yet
    file.write_bytes(b"one\ntw")
    assert tail.more() == ["one\n"]
    file.write_bytes(b"one\ntwo\nthree\n")
    assert tail.more() == ["two\n", "three\n"]
    assert tail.more() == []


def test_a_log_that_was_emptied_is_read_from_its_beginning(tmp_path: Path) -> None:
    file = tmp_path / "log.txt"
    file.write_bytes(b"long enough to be rotated\n")
    tail = Tail(file)
    tail.more()
    file.write_bytes(b"anew\n")
    assert tail.more() == ["anew\n"]


def test_a_character_cut_in_two_is_whole_in_the_end(tmp_path: Path) -> None:
    file = tmp_path / "log.txt"
    content = "grün\n".encode()
    file.write_bytes(content[:3])
    tail = Tail(file)
    assert tail.more() == []
    file.write_bytes(content)
    assert tail.more() == ["grün\n"]
