"""A machine that fails, and a ledger under way in another process."""

import random
import resource
import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from time import perf_counter

import pytest
from ledgers import Place

from loopwright.errors import IntegrityError, MachineError
from loopwright.ledger import Ledger
from loopwright.ledger.facts import Draft
from loopwright.ledger.verification import Head, verify

ROUNDS = 10
WRITER = """
import sys
from pathlib import Path
from loopwright.ledger import open_ledger
from loopwright.state import StateFolder
round_ = sys.argv[2]
ledger = open_ledger(StateFolder(Path(sys.argv[1])))
ledger.take_over()
for number in range(1_000_000):
    fact = ledger.append("tick", "titanic", f"{round_}-{number}", {"n": number}, "ann", 1.0)
    print(fact.sequence, fact.hash, flush=True)
"""


def opened(folder: Path) -> Ledger:
    return Ledger.open(folder / "ledger.db", folder / "ledger.key", folder / "ledger.head")


@pytest.mark.chaos
def test_no_acknowledged_fact_is_lost_by_kill_9(place: Place) -> None:
    chance = random.Random(20)
    acknowledged: dict[int, str] = {}
    for number in range(ROUNDS):
        with subprocess.Popen(
            [sys.executable, "-c", WRITER, str(place.folder), str(number)], stdout=subprocess.PIPE, text=True
        ) as writer:
            assert writer.stdout is not None
            lines = [writer.stdout.readline() for _ in range(chance.randrange(1, 60))]
            try:
                writer.wait(chance.random() * 0.003)
            except subprocess.TimeoutExpired:
                writer.send_signal(signal.SIGKILL)
            lines += [line for line in writer.stdout if line.endswith("\n")]
        assert writer.returncode == -signal.SIGKILL
        acknowledged.update({int(sequence): digest for sequence, digest in map(str.split, lines)})
        with closing(place.open()) as ledger:
            verdict = ledger.verify()
            assert verdict.ok, verdict.sentence
    with closing(place.open()) as ledger:
        kept = {fact.sequence: fact.hash for fact in ledger.facts()}
        assert acknowledged.items() <= kept.items()
        assert ledger.count("control.started") == ledger.epoch == ROUNDS


def test_processes_that_open_a_new_ledger_at_once_share_it(place: Place) -> None:
    script = WRITER.replace("ledger.take_over()", "").replace("1_000_000", "10")
    writers = [
        subprocess.Popen([sys.executable, "-c", script, str(place.folder), str(n)], stdout=subprocess.DEVNULL)
        for n in range(4)
    ]
    assert [writer.wait() for writer in writers] == [0] * 4
    with closing(place.open()) as ledger:
        verdict = ledger.verify()
    assert (verdict.ok, verdict.entries) == (True, 40)


@pytest.mark.parametrize("content", [b"not a database, but long enough to be one " * 200, b"\0" * 5000])
def test_a_file_that_is_no_database_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "ledger.db").write_bytes(content)
    with pytest.raises(IntegrityError, match=r"ledger\.db is damaged"):
        opened(tmp_path)


def test_a_damaged_database_is_no_traceback(tmp_path: Path) -> None:
    with closing(opened(tmp_path)) as ledger:
        ledger.take_over(now=1.0)
        for number in range(200):
            ledger.append("tick", "titanic", str(number), {"text": "x" * 200}, "ann", 1.0)
    content = bytearray((tmp_path / "ledger.db").read_bytes())
    middle = len(content) // 2 // 4096 * 4096
    content[middle : middle + 16384] = random.Random(1).randbytes(16384)
    (tmp_path / "ledger.db").write_bytes(content)
    with closing(opened(tmp_path)) as ledger:
        assert "damaged" in ledger.verify().sentence
        with pytest.raises(IntegrityError, match="damaged"):
            ledger.facts()


def test_a_folder_that_cannot_be_written_is_explained() -> None:
    with pytest.raises(MachineError, match="cannot be opened"):
        opened(Path("/proc/no-folder"))


def fill(ledger: Ledger) -> None:
    for number in range(200):
        ledger.append("tick", "titanic", str(number), {"text": "x" * 3000}, "ann", 1.0)


def test_a_full_disk_refuses_the_fact_and_later_takes_it(tmp_path: Path) -> None:
    ledger = opened(tmp_path)
    ledger.take_over(now=1.0)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(
        resource.RLIMIT_FSIZE, (100_000, limits[1])
    )  # the kernel refuses larger files, as a full disk would
    try:
        with pytest.raises(MachineError, match="Check the disk's free space"):
            fill(ledger)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    kept = ledger.count("tick")
    assert ledger.append("tick", "titanic", "after", {}, "ann", 1.0).sequence == kept + 2
    assert ledger.verify().ok
    ledger.close()


def test_a_head_that_cannot_be_written_stops_the_next_fact_not_this_one(tmp_path: Path) -> None:
    heads = tmp_path / "heads"
    ledger = Ledger.open(tmp_path / "ledger.db", tmp_path / "ledger.key", heads / "ledger.head")
    ledger.append("tick", "titanic", "first", {}, "ann", 1.0)
    heads.rename(tmp_path / "away")
    heads.write_text("a file in the folder's place")
    ledger.append("tick", "titanic", "second", {}, "ann", 1.0)
    with pytest.raises(MachineError, match="signed head"):
        ledger.append("tick", "titanic", "third", {}, "ann", 1.0)
    assert ledger.count("tick") == 2
    heads.unlink()
    (tmp_path / "away").rename(heads)
    ledger.append("tick", "titanic", "1", {}, "ann", 1.0)
    assert (ledger.verify().ok, ledger.verify().entries) == (True, 3)
    ledger.close()


def test_ten_thousand_facts_are_verified_within_two_seconds(tmp_path: Path) -> None:
    entries = [Draft.of("tick", "titanic", "0", {"n": 1}, "ann", 1.0).entry(None, 1, b"k")]
    while len(entries) < 10_000:
        entries.append(Draft.of("tick", "titanic", "0", {"n": 1}, "ann", 1.0).entry(entries[-1], 1, b"k"))
    began = perf_counter()
    assert verify(entries, Head(10_000, entries[-1].hash), b"k").ok
    assert perf_counter() - began < 2.0
