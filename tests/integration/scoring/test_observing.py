"""What a replica answers is on its disk, under the id that its client was told."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from recordings import kept

from loopwright.observations.blocks import Requests

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
