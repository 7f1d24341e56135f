import asyncio
import errno
import os
import time

import pytest
from recordings import Said, kept, record, recording, subject

from loopwright.observations import bins, framing, keeping
from loopwright.observations.blocks import Event, Events, Header, Losses, Pane, Requests
from loopwright.observations.recording import DURABLE
from loopwright.observations.segments import found


def test_a_request_is_kept_with_all_that_is_known_of_it(tmp_path):
    async def story():
        async with recording(tmp_path) as recorder:
            record(recorder, 7, client_id="mine", role="mirror", seconds=0.5)
        return recorder

    recorder = asyncio.run(story())
    (requests,) = kept(tmp_path, Requests)
    assert (recorder.written, recorder.dropped) == (1, 0)
    assert (requests.ids, requests.client_ids, requests.roles) == (["q-7"], ["mine"], ["mirror"])
    assert (requests.began, requests.seconds, requests.statuses) == ([1.7e9 + 7], [0.5], [200])
    assert (requests.features, requests.outputs) == ([[30.0], ["male"]], [[1]])


def test_requests_of_many_rows_refused_ones_and_large_ones_keep_their_rows_apart(tmp_path):
    async def story():
        async with recording(tmp_path) as recorder:
            record(recorder, 1, [(1.0, "a"), (2.0, "b")])
            record(recorder, 2, None, answers=None, status=422)
            record(recorder, 3, [(float(n), "c") for n in range(1200)])

    asyncio.run(story())
    blocks = kept(tmp_path, Requests)
    found = [
        (name, first, rows)
        for one in blocks
        for name, first, rows in zip(one.ids, one.first, one.rows, strict=True)
    ]
    assert sorted(found) == [
        ("q-1", 0, 2),
        ("q-2", 0, 0),
        ("q-3", 0, 512),
        ("q-3", 512, 512),
        ("q-3", 1024, 176),
    ]
    assert sorted(value for one in blocks for value in one.features[0]) == sorted([1.0, 2.0, *range(1200)])


def test_excluded_columns_leave_nothing_and_extra_ones_stay(tmp_path):
    columns = {"age": [30.0, 40.0], "sex": ["male", "female"], "survived": [1, 0]}
    kinds = {"age": "numbers", "sex": "categories", "survived": "categories"}
    baseline = tmp_path / "baseline.json"
    baseline.write_bytes(bins.encode(bins.make(columns, kinds, "survived")))

    async def story():
        about = subject(baseline=baseline)
        async with recording(tmp_path, about=about, exclude=("sex",), extra=("customer",)) as recorder:
            record(recorder, 1, extra=[("c-9",)])
            record(recorder, 2)

    asyncio.run(story())
    (requests,), (header,) = kept(tmp_path, Requests), kept(tmp_path, Header)
    assert ([column.name for column in header.features], header.extra) == (["age"], ("customer",))
    assert (requests.features, requests.extra) == ([[30.0, 30.0]], [["c-9", None]])
    assert all(b"male" not in path.read_bytes() for path in tmp_path.rglob("*.segment"))


def test_the_rate_thins_out_rows_but_not_distributions(tmp_path):
    async def story():
        async with recording(tmp_path, rate=0.3) as recorder:
            for number in range(2000):
                record(recorder, number)
        return recorder

    recorder = asyncio.run(story())
    rows = sum(len(one.ids) for one in kept(tmp_path, Requests))
    (pane,) = kept(tmp_path, Pane)
    assert rows == recorder.written
    assert 450 < rows < 750
    assert pane.features["live"]["age"].count == 2000


def test_answers_of_a_script_are_read_at_their_paths(tmp_path):
    async def story():
        about = subject(outputs=())
        terms = {"prediction": "label", "probability": "scores.1"}
        async with recording(tmp_path, about=about, **terms) as recorder:
            record(recorder, 1, answers=b'{"label": "yes", "scores": [0.2, 0.8]}')
            record(
                recorder,
                2,
                [(1.0, "a"), (2.0, "b")],
                answers=b'[{"label": "no", "scores": [1, 0]}, {"label": "yes"}]',
            )
            record(recorder, 3, answers=b"not JSON")

    asyncio.run(story())
    (requests,) = kept(tmp_path, Requests)
    assert requests.outputs == [["yes", "no", "yes", None], [0.8, 0, None, None]]
    assert requests.answers == [1, 2, 1]


@pytest.mark.parametrize("odd", [2**64, -(2**63) - 1, 10**400, "\ud800", float("inf")])
def test_a_value_that_the_file_cannot_hold_costs_no_other(tmp_path, odd):
    async def story():
        async with recording(tmp_path) as recorder:
            record(recorder, 1, [(odd, "a"), (2.0, odd)])
            record(recorder, 2, answers=[[odd]])
        return recorder

    assert asyncio.run(story()).written == 2
    (requests,) = kept(tmp_path, Requests)
    assert requests.features[0][1:] == [2.0, 30.0]


def test_rows_that_are_not_as_wide_as_they_should_be_are_counted_and_said(tmp_path):
    async def story(said):
        async with recording(tmp_path, said) as recorder:
            record(recorder, 1, [(1.0, "a"), (2.0,)])
        return recorder

    recorder = asyncio.run(story(said := Said()))
    assert (recorder.written, dict(recorder.losses)) == (0, {"error": 1})
    assert said.actions() == ["observations-dropped"]


def test_feedback_is_on_the_disk_when_it_is_said_to_be(tmp_path):
    async def story():
        async with recording(tmp_path) as recorder:
            began = time.monotonic()
            assert await recorder.feedback([Event(5.0, id="q-1", label=True)])
            assert time.monotonic() - began < DURABLE
            return kept(tmp_path, Events)

    assert asyncio.run(story()) == [Events([Event(5.0, id="q-1", label=True)])]


def test_what_does_not_fit_into_memory_is_counted(tmp_path, monkeypatch):
    monkeypatch.setattr("loopwright.observations.recording._MOST", 2)

    async def story():
        async with recording(tmp_path, said) as recorder:
            for number in range(10):  # no await between: nothing can be written meanwhile
                recorder.record(f"{number}", None, "live", 0.0, 0.0, 200, [(1.0, "a")] * 3, None)
            assert not await recorder.feedback([Event(1.0, id="x", label=1)])
        return recorder

    said = Said()
    recorder = asyncio.run(story())
    assert recorder.written + recorder.dropped == 11
    assert recorder.losses["memory"] >= 9
    assert sum(one.reasons["memory"] for one in kept(tmp_path, Losses)) == recorder.losses["memory"]
    assert said.actions() == ["observations-dropped"]


def test_long_bodies_fill_the_memory_sooner_than_short_ones(tmp_path, monkeypatch):
    monkeypatch.setattr("loopwright.observations.recording._MOST", 100)

    async def story():
        async with recording(tmp_path) as recorder:
            for number in range(10):  # no await between: nothing can be written meanwhile
                record(recorder, number, [(1.0, "x" * 25_000)], size=25_600)
            lost = recorder.dropped
            while not await recorder.feedback([Event(1.0, id="x", label=1)], 100_000):  # noqa: ASYNC110  (a thread makes room)
                await asyncio.sleep(0.01)  # there is room once these are written
        return recorder, lost

    recorder, lost = asyncio.run(story())
    assert (recorder.written, lost) == (3, 8)
    assert recorder.losses["memory"] > lost


def test_a_folder_that_cannot_be_written_costs_observations_and_nothing_else(tmp_path):
    async def story(said):
        (tmp_path / "r1").write_text("in the way")
        async with recording(tmp_path, said) as recorder:
            record(recorder)
            assert not await recorder.feedback([Event(1.0, id="x", label=1)])
            (tmp_path / "r1").unlink()
            assert await recorder.feedback([Event(1.0, id="x", label=1)])
        return recorder

    recorder = asyncio.run(story(said := Said()))
    assert (recorder.written, dict(recorder.losses)) == (1, {"disk": 2})
    assert said.actions() == ["observations-dropped", "observations-resumed"]
    assert [one.reasons for one in kept(tmp_path, Losses)] == [{"disk": 2}]
    assert [pane.features["live"]["age"].count for pane in kept(tmp_path, Pane)] == [1]


def test_where_the_recorder_broke_nothing_gathers_and_all_is_counted_as_lost(tmp_path, monkeypatch):
    said = Said()
    monkeypatch.setattr("loopwright.observations.keeping.Keeper.__init__", lambda *_: 1 / 0)

    async def story():
        async with recording(tmp_path, said) as recorder:
            record(recorder, 1)
            async with asyncio.timeout(10):
                while "observations-ended" not in said.actions():  # noqa: ASYNC110  (a thread says it)
                    await asyncio.sleep(0.01)
            for number in range(3):
                record(recorder, number)
        return recorder

    recorder = asyncio.run(story())
    assert recorder.written == 0
    assert recorder.losses == {"error": 4}


def test_long_texts_are_written_in_frames_that_can_be_read(tmp_path, monkeypatch):
    monkeypatch.setattr(framing, "MOST", 300_000)

    async def story():
        async with recording(tmp_path) as recorder:
            for number in range(40):
                record(recorder, number, [(1.0, "x" * 50_000)])
            record(recorder, 40, [(1.0, "x" * 400_000)])
        return recorder

    recorder = asyncio.run(story())
    assert (recorder.written, dict(recorder.losses)) == (40, {"large": 1})
    blocks = kept(tmp_path, Requests)
    assert [name for one in blocks for name in one.ids] == [f"q-{number}" for number in range(40)]
    assert len(blocks[-1].ids) <= 6


def test_what_the_disk_had_too_late_counts_as_dropped_and_is_there(tmp_path, monkeypatch):
    monkeypatch.setattr(keeping, "DURABLE", 0.0)

    async def story(said):
        async with recording(tmp_path, said) as recorder:
            record(recorder)
            assert await recorder.feedback([Event(1.0, id="q-1", label=1)])
        return recorder

    recorder = asyncio.run(story(said := Said()))
    assert (recorder.written, dict(recorder.losses)) == (0, {"late": 2})
    assert [name for one in kept(tmp_path, Requests) for name in one.ids] == ["q-1"]
    assert said.actions() == ["observations-dropped"]


def test_what_the_disk_did_not_confirm_is_not_written_and_another_segment_is_begun(tmp_path, monkeypatch):
    confirm = os.fsync

    def refuse(descriptor):
        raise OSError(errno.EIO, "Input/output error")

    async def story():
        async with recording(tmp_path) as recorder:
            assert await recorder.feedback([Event(1.0, id="q-1", label=1)])
            monkeypatch.setattr(os, "fsync", refuse)
            assert not await recorder.feedback([Event(1.0, id="q-2", label=1)])
            monkeypatch.setattr(os, "fsync", confirm)
            assert await recorder.feedback([Event(1.0, id="q-3", label=1)])
        return recorder

    recorder = asyncio.run(story())
    assert (recorder.written, dict(recorder.losses)) == (2, {"disk": 1})
    assert len(found(tmp_path)) == 2
