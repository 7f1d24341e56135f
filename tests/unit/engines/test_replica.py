"""A replica's states, from what it says of itself; no process is started."""

from __future__ import annotations

from pathlib import Path

import pytest

from loopwright.engines.local.kept_process import KeptProcess
from loopwright.engines.local.probing import Answer
from loopwright.engines.local.replica import LOG, RECORD, Replica

SILENT = Answer(error="timed out")


@pytest.fixture
def replica(tmp_path: Path) -> Replica:
    return Replica(
        KeptProcess(tmp_path, tmp_path / RECORD, {"set": "s", "socket": "/s.sock", "restarts": 0}), 0.0
    )


def states(replica: Replica, *answers: Answer) -> list[str]:
    told = []
    for answer in answers:
        replica.hear(answer, 1.0)
        told.append(replica.state)
    return told


def test_it_is_ready_when_it_says_so(replica: Replica) -> None:
    assert states(replica, SILENT, Answer(), Answer(ready=True)) == ["starting", "starting", "ready"]


def test_its_word_counts_at_once_its_silence_only_the_third_time(replica: Replica) -> None:
    states(replica, Answer(ready=True))
    assert states(replica, Answer(), Answer(ready=True)) == ["not-ready", "ready"]
    assert states(replica, SILENT, SILENT, Answer(ready=True)) == ["ready"] * 3
    assert states(replica, SILENT, SILENT, SILENT) == ["ready", "ready", "not-ready"]


def test_one_that_was_ready_is_found_again_as_ready(replica: Replica, tmp_path: Path) -> None:
    states(replica, Answer(ready=True))
    found = Replica.adopt(tmp_path, 2.0)
    assert found is not None
    assert found.state == "ready"


def test_it_hangs_after_long_silence_only(replica: Replica) -> None:
    states(replica, Answer(ready=True), Answer())
    assert (replica.hung(31.0), replica.hung(31.1)) == (False, True)
    states(replica, Answer(ready=True))
    assert not replica.hung(1000.0)


def test_its_load_is_what_runs_and_what_waits(replica: Replica) -> None:
    states(replica, Answer(ready=True, in_flight=3, queued=4))
    assert (replica.load, replica.status().in_flight) == (7, 7)


@pytest.mark.parametrize(
    ("log", "words"),
    [
        ("noise\ninit failed: ValueError: x\n{}\n", "init failed: ValueError: x"),
        ("first\nlast\n\n", "last"),
        ("", "it said nothing"),
    ],
)
def test_last_words(replica: Replica, tmp_path: Path, log: str, words: str) -> None:
    (tmp_path / LOG).write_text(log)
    assert replica.last_words() == words
