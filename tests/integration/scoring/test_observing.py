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
    import json
    def run(data):
        if json.loads(data)["age"] == 13:
            raise ValueError("unlucky")
        return {"prediction": 1, "probability": 0.25}
"""
_INPUTS = [{"name": "age", "type": "integer"}, {"name": "port", "type": "string", "nullable": True}]


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
    assert replica.metric("loopwright_observations_dropped_total") == 0
    replica.stop()
    blocks = kept(folder, Requests)
    ids = [one for block in blocks for one in block.ids]
    assert ids == [answer.headers["x-request-id"] for answer in answers]
    assert [one for block in blocks for one in block.statuses] == [200, 500, 422]
    assert blocks[0].client_ids[0] == "theirs"
    assert [one for block in blocks for one in block.roles] == ["live", "test", "test"]


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
