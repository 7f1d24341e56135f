import os
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from recordings import Said, subject

from loopwright.observations import ageing, keeping
from loopwright.observations.ageing import Segment, expired
from loopwright.observations.recording import Terms
from loopwright.observations.segments import Writer, found

SEGMENTS = st.lists(st.tuples(st.integers(1, 100), st.integers(0, 1000)), max_size=20).map(
    lambda pairs: [
        Segment(f"{place}", size, touched)
        for place, (size, touched) in enumerate(sorted(pairs, key=lambda p: p[1]))
    ]
)


@given(SEGMENTS, st.integers(1, 1000), st.integers(0, 1500))
def test_what_stays_is_young_and_small_and_nothing_else_goes(segments, keep, most):
    going = expired(segments, keep, most, now=1000.0)
    staying = segments[len(going) :]
    assert going == segments[: len(going)]
    assert sum(one.size for one in staying) <= most
    assert all(one.touched >= 1000 - keep for one in staying)
    if going:
        last = going[-1]
        assert last.touched < 1000 - keep or sum(one.size for one in [last, *staying]) > most


def test_segments_of_all_replicas_go_but_not_those_being_written(tmp_path):
    def begun(place):
        writer = Writer(tmp_path / place, 4096, lambda: b"")
        writer.append([b"x" * 100])
        return writer

    alive, ended = begun("r1/alive"), begun("r1/ended")
    begun("r0/older").seal()
    ended.seal()
    for path in found(tmp_path):
        os.utime(path, (10.0, 10.0))
    gone = ageing.due(tmp_path, keep=5.0, max_bytes=10**9, now=20.0)
    ageing.remove(gone)
    assert sorted(one.path.parent.name for one in gone) == ["ended", "older"]
    assert [path.parent.name for path in found(tmp_path)] == ["alive"]
    assert not (tmp_path / "r0").exists()
    alive.seal()
    assert len(ageing.due(tmp_path, keep=100.0, max_bytes=10, now=20.0)) == 1


def test_a_segment_that_was_deleted_under_its_writer_is_begun_anew(tmp_path):
    writer = Writer(tmp_path / "r/w", 4096, lambda: b"")
    writer.append([b"one"])
    found(tmp_path)[0].unlink()
    writer.append([b"two"])
    assert [path.name for path in found(tmp_path)] == ["00000002.segment"]


def test_segments_are_bounded(tmp_path):
    writer = Writer(tmp_path / "r/w", 4096, lambda: b"")
    for _ in range(10):
        writer.append([b"x" * 1000])
        writer.sync()
    assert [path.stat().st_size for path in found(tmp_path)] == [5008, 5008]


@pytest.mark.parametrize("step", [-1e9, 1e9])
def test_a_clock_that_is_set_makes_nothing_old(tmp_path, monkeypatch, step):
    keeper = keeping.Keeper(subject(), Terms(folder=tmp_path / "r1", keep=100.0), "w", Said())
    wall = time.time
    monkeypatch.setattr("time.time", lambda: wall() + step)
    for worker, touched in (("before", wall()), ("after", time.time())):
        path = tmp_path / "r1" / worker / "00000001.segment"
        path.parent.mkdir(parents=True)
        path.touch()
        os.utime(path, (touched, touched))
    keeper.keep([], [], 0.0, last=True)
    assert len(found(tmp_path)) == 2
