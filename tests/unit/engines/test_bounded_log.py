from __future__ import annotations

from pathlib import Path

from loopwright.engines.local.bounded_log import BoundedLog, last_lines, rotate


def test_all_is_kept_below_the_limit(tmp_path: Path) -> None:
    log = BoundedLog(str(tmp_path / "log"), kept=100, tail=10)
    log.write(b"a" * 60)
    log.write(b"b" * 40)
    log.close()
    assert (tmp_path / "log").read_bytes() == b"a" * 60 + b"b" * 40


def test_beyond_it_the_beginning_and_the_end_are_kept_and_the_cut_is_told(tmp_path: Path) -> None:
    log = BoundedLog(str(tmp_path / "log"), kept=100, tail=10)
    log.write(b"a" * 150)
    assert "the log has reached 100 bytes" in (tmp_path / "log").read_text()
    log.write(b"b" * 5000 + b"the error!")
    log.close()
    text = (tmp_path / "log").read_text()
    assert text.startswith("a" * 100 + "\n[loopwright]")
    assert "5050 bytes cut here" in text
    assert text.endswith("\nthe error!")
    assert len(text) < 400


def test_a_full_disk_costs_output_only(tmp_path: Path) -> None:
    log = BoundedLog("/dev/full")
    log.write(b"lost")
    log.close()


def test_a_file_beyond_its_limit_is_put_aside_and_its_writer_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "log"
    with path.open("ab", buffering=0) as writer:
        writer.write(b"a" * 30)
        rotate(str(path), limit=20)
        writer.write(b"new")
    assert path.read_bytes() == b"new"
    assert Path(f"{path}.1").read_bytes() == b"a" * 20


def test_a_small_or_missing_file_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(b"a" * 20)
    rotate(str(tmp_path / "log"), limit=20)
    rotate(str(tmp_path / "none"), limit=20)
    assert [file.name for file in tmp_path.iterdir()] == ["log"]


def test_last_lines_are_those_that_say_something(tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(b"x" * 30 + b"\none\n\n  two \n\n")
    assert last_lines(str(tmp_path / "log"), longest=20)[-2:] == ["one", "two"]
    assert last_lines(str(tmp_path / "none")) == []
