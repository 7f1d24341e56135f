import asyncio
import shutil

import pyarrow as pa
from recordings import COLUMNS, kept, record, recording, subject

from loopwright.observations import recovery
from loopwright.observations.blocks import Column, Event, Pane
from loopwright.observations.frames import MAGIC, frame, frames
from loopwright.observations.panes import Distribution
from loopwright.observations.reading import Reader, Wish
from loopwright.observations.segments import found
from loopwright.observations.tallies import counts_of, frequent, quantiles


def recorded(folder, *requests, events=(), about=None, **terms):
    async def story():
        async with recording(folder, about=about, **terms) as recorder:
            for number, request in enumerate(requests, 1):
                record(recorder, **({"number": number} | request))
            if events:
                assert await recorder.feedback(list(events))

    asyncio.run(story())


def read(folder, **wish):
    return Reader(found(folder), Wish(**wish)).table()


def test_each_row_is_a_line_with_what_is_known_of_its_request(tmp_path):
    rows = [(1.0, "a"), (None, "b")]
    recorded(
        tmp_path,
        {"rows": rows, "answers": [[0, 1]], "client_id": "c"},
        {"rows": None, "answers": None, "status": 422},
    )
    lines = read(tmp_path).to_pylist()
    assert [(line["id"], line["row"], line["status"]) for line in lines] == [
        ("q-1", 0, 200),
        ("q-1", 1, 200),
        ("q-2", 0, 422),
    ]
    assert [line["features.age"] for line in lines] == [1.0, None, None]
    assert [line["outputs.prediction"] for line in lines] == [0, 1, None]
    assert lines[0]["time"].timestamp() == 1.7e9 + 1
    assert (lines[1]["client_id"], lines[1]["seconds"], lines[1]["environment"]) == ("c", 0.01, "dev")


def test_a_large_request_has_its_rows_numbered_through(tmp_path):
    recorded(tmp_path, {"rows": [(float(n), "a") for n in range(1100)]})
    table = read(tmp_path)
    assert table["row"].to_pylist() == list(range(1100)) == table["features.age"].to_pylist()


def test_filters(tmp_path):
    about = subject(version="titanic:3")
    recorded(
        tmp_path, {"role": "live"}, {"role": "mirror", "client_id": "mine"}, {"role": "test"}, about=about
    )
    ids = lambda **wish: read(tmp_path, **wish)["id"].to_pylist()  # noqa: E731
    assert ids(role="mirror") == ids(id="mine") == ids(id="q-2") == ["q-2"]
    assert ids(since=1.7e9 + 2) == ["q-2", "q-3"]
    assert ids(until=1.7e9 + 1) == ["q-1"]
    assert ids(revision="r") == ["q-1", "q-2", "q-3"]
    assert ids(revision="x") == ids(version="titanic:9") == []
    assert ids(version="titanic:3") == ["q-1", "q-2", "q-3"]


def test_the_newest_label_of_a_row_stands_beside_it(tmp_path):
    events = [
        Event(9.0, id="q-1", label=1),
        Event(5.0, id="q-1", label=0),
        Event(7.0, client_id="mine", row=1, label=0),
        Event(8.0, id="q-1", event="refund", value=3),
    ]
    recorded(tmp_path, {}, {"rows": [(1.0, "a"), (2.0, "b")], "client_id": "mine"}, events=events)
    table = read(tmp_path, labels=True)
    assert table["label"].to_pylist() == [1, None, 0]
    assert table["labelled"][0].as_py().timestamp() == 9.0


def test_revisions_with_other_columns_make_one_table(tmp_path):
    recorded(tmp_path, {"answers": [["yes"]]})
    columns = (Column("age", "integer"), Column("deck", "string"), Column("sex", "integer"))
    recorded(tmp_path, {"rows": [(4, "C", 1)]}, about=subject(columns=columns))
    table = read(tmp_path)
    assert sorted(table["features.age"].to_pylist()) == [4.0, 30.0]
    assert set(table["features.sex"].to_pylist()) == {"1", "male"}
    assert set(table["outputs.prediction"].to_pylist()) == {"yes", "1"}
    assert table.schema.field("features.deck").type == pa.string()


def test_nothing_recorded_is_an_empty_table(tmp_path):
    assert read(tmp_path).num_rows == 0
    assert read(tmp_path, labels=True).column_names[-2:] == ["label", "labelled"]


def without_panes(path):
    """What a worker leaves that was killed before its pane was due."""
    with path.open("rb") as file:
        payloads = [payload for payload, _ in frames(file)]
    path.write_bytes(MAGIC + b"".join(frame(one) for one in payloads if b"pane" not in one[:8]))


def said(pane):
    """What a pane says: its sketches may hold the same values in another order."""
    found = {("", ""): (pane.worker, pane.sequence, pane.began, pane.ended)}
    for columns in (pane.features, pane.outputs):
        for role, by_name in columns.items():
            for name, one in by_name.items():
                sketches = (*quantiles(one, [0, 0.5, 1]), *sorted(frequent(one)))
                found[role, name] = (counts_of(one), one.low, one.high, one.mean, *sketches)
    return found


def test_panes_that_a_killed_worker_did_not_write_are_made_of_its_rows(tmp_path):
    recorded(tmp_path / "a", {}, {"rows": [(None, "b"), (7.0, "b")]}, {"status": 500}, {"role": "mirror"})
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    without_panes(found(tmp_path / "b")[0])
    assert kept(tmp_path / "b", Pane) == []
    (written,), (made,) = (list(recovery.panes(found(tmp_path / name))) for name in "ab")
    assert said(made[1]) == said(written[1])
    assert made[1].features["live"]["age"].count == 2
    total = Distribution("")
    assert [total.add(pane) for _, pane in (written, made)] == [True, False]


def test_the_pane_of_a_worker_that_lives_is_awaited(tmp_path):
    async def story():
        async with recording(tmp_path) as recorder:
            record(recorder)
            await recorder.feedback(
                [Event(1.0, id="q", label=1)]
            )  # what was recorded before is written with it
            assert len(list(recovery.panes(found(tmp_path)))) == 0
            assert read(tmp_path).num_rows == 1

    asyncio.run(story())
    assert [header.features for header, _ in recovery.panes(found(tmp_path))] == [COLUMNS]


def test_what_cannot_be_read_of_a_file_is_told(tmp_path):
    recorded(tmp_path, {}, {})
    (path,) = found(tmp_path)
    content = path.read_bytes()
    path.write_bytes(content[:-7])
    reader = Reader([path], Wish())
    assert reader.table().num_rows == 2
    with path.open("rb") as file:
        whole = max(end for _, end in frames(file))
    assert reader.unread == {path: len(content) - 7 - whole}
    path.write_bytes(b"no segment")
    reader = Reader([path], Wish())
    assert (reader.table().num_rows, reader.unread) == (0, {path: 10})


def test_values_of_any_kind_can_be_read(tmp_path):
    columns = (Column("count", "integer"), Column("sex", "string"))
    answers = [[{"yes": 0.25}, [1, 2]]]
    recorded(
        tmp_path, {"rows": [(2**70, "a"), (3, None)], "answers": answers}, about=subject(columns=columns)
    )
    table = read(tmp_path)
    assert table["features.count"].to_pylist() == [None, 3]
    assert table["outputs.prediction"].to_pylist() == ['{"yes":0.25}', "[1,2]"]
