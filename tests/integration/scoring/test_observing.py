"""What a replica answers is on its disk, under the id that its client was told."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from disks import disk, fill
from recordings import kept

from loopwright.observations.blocks import Events, Requests

__all__ = ["disk"]
_SCRIPT = """
    def run(data):
        if '"age": 13' in data:
            raise ValueError("unlucky")
        answer = {"prediction": 1, "probability": 0.25}
        return [answer] if data.startswith("[") else answer
"""
_INPUTS = [{"name": "age", "type": "integer"}, {"name": "port", "type": "string", "nullable": True}]

_AGE = {"name": "age", "datatype": "INT64", "shape": [1], "data": [3]}
_FURTHER: list[tuple[str, str, Any]] = [  # the customer c-NUMBER in every protocol
    ("/score", "text/csv", b"customer,age\nc-0,3\n"),
    ("/invocations", "text/csv", b"customer,age\nc-1,3\n"),
    ("/invocations", "application/json", {"dataframe_split": {"columns": ["customer", "age"], "data": [["c-2", 3]]}}),
    ("/invocations", "application/json", {"dataframe_records": [{"age": 3, "customer": "c-3"}]}),
    ("/invocations", "application/json", {"inputs": {"age": [3], "customer": ["c-4"]}}),
    ("/v2/models/w/infer", "application/json", {"inputs": [_AGE], "parameters": {"customer": "c-5"}}),
    ("/v2/models/w/infer", "application/json",
     {"inputs": [_AGE, {"name": "customer", "datatype": "BYTES", "shape": [1], "data": ["c-6"]}]}),
]  # fmt: skip


@pytest.fixture(scope="module")
def observed(start: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Path]:
    """A replica, with the folder of its observations."""
    folder = tmp_path_factory.mktemp("observations")
    observations = {
        "folder": str(folder / "test" / "w" / "r1"),
        "probability": "probability",
        "extra": ["customer"],
    }
    return start(_SCRIPT, inputs=_INPUTS, observations=observations), folder / "test" / "w"


def test_feedback_is_on_the_disk_once_it_is_answered(observed: tuple[Any, Path]) -> None:
    replica, folder = observed
    answer = replica.ask(
        "POST", "/feedback", [{"id": "a-1", "label": 1}, {"client_id": "theirs", "event": "refund"}]
    )
    assert (answer.status, answer.json) == (200, {"kept": 2})
    (events,) = kept(folder, Events)
    assert [(one.id, one.client_id, one.label, one.event) for one in events.events] == [
        ("a-1", None, 1, None),
        (None, "theirs", None, "refund"),
    ]


@pytest.mark.parametrize(
    ("body", "field", "item"),
    [(b"{", None, None), ({"label": 1}, "id", None), ([{"id": "a", "label": 1}, {"id": "b"}], "label", 1)],
)
def test_feedback_that_is_none_is_refused_by_name(
    observed: tuple[Any, Path], body: Any, field: str | None, item: int | None
) -> None:
    answer = observed[0].ask("POST", "/feedback", body)
    assert (answer.status, answer.error["code"]) == (422, "invalid-feedback")
    assert (answer.error["field"], answer.error["item"]) == (field, item)


def test_every_request_is_kept_whatever_became_of_it(observed: tuple[Any, Path]) -> None:
    replica, folder = observed
    role = {"x-loopwright-role": "live", "x-request-id": "theirs"}
    answers = [
        replica.ask("POST", "/score", {"age": 3, "customer": "c-1"}, role),
        replica.ask("POST", "/score", {"age": 13}),
        replica.ask("POST", "/score", {"age": "x"}),
    ]
    answers += [
        replica.ask("POST", path, body, role | {"content-type": kind}) for path, kind, body in _FURTHER
    ]
    assert replica.metric("loopwright_observations_dropped_total") == 0, replica.log()
    replica.stop()
    blocks = kept(folder, Requests)
    ids = [one for block in blocks for one in block.ids]
    assert ids == [answer.headers["x-request-id"] for answer in answers]
    assert [one for block in blocks for one in block.statuses] == [200, 500, 422] + [200] * len(_FURTHER)
    assert blocks[0].client_ids[0] == "theirs"
    assert [one for block in blocks for one in block.roles] == ["live", "test", "test"] + ["live"] * len(
        _FURTHER
    )
    extra = [one for block in blocks for one in block.extra[0]]
    assert extra[-len(_FURTHER) :] == [f"c-{number}" for number in range(len(_FURTHER))]


def test_a_full_disk_costs_observations_and_no_answer_and_is_told(
    start: Callable[..., Any], disk: Path
) -> None:
    replica = start(_SCRIPT, inputs=_INPUTS, observations={"folder": str(disk / "test" / "w" / "r1")})
    ballast = fill(disk)
    assert replica.score({"age": 3}).status == 200
    answer = replica.ask("POST", "/feedback", {"id": "a-1", "label": 1})
    assert (answer.status, answer.error["code"]) == (503, "not-kept")
    assert replica.metric("loopwright_observations_dropped_total") == 2
    assert "observations are being lost (disk: 2)" in replica.ask("GET", "/stats").json["message"]
    assert replica.ask("GET", "/readyz").status == 200
    assert "No space left" in replica.events("observations-dropped")[0]["error"]
    ballast.unlink()
    assert replica.ask("POST", "/feedback", {"id": "a-1", "label": 1}).status == 200
    assert replica.events("observations-resumed")
