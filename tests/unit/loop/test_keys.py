"""The keys of an endpoint: one to score with, one to write labels with."""

from __future__ import annotations

from pathlib import Path

from loopwright.loop.keys import endpoint_key, feedback_key, key_of_tests
from loopwright.server.record_paths import without_keys
from loopwright.state import StateFolder


def test_each_endpoint_has_a_key_of_its_own_for_either_purpose(tmp_path: Path) -> None:
    state = StateFolder(tmp_path)
    keys = {
        key(state, name, "w")
        for key in (endpoint_key, feedback_key, key_of_tests)
        for name in ("dev", "prod")
    }
    assert len(keys) == 6
    assert feedback_key(state, "dev", "w") in keys


def test_who_may_only_look_sees_neither() -> None:
    status = {"workloads": [{"environments": {"dev": {"key": "a", "feedback_key": "b"}}}]}
    assert without_keys(status)["workloads"][0]["environments"]["dev"] == {"key": None, "feedback_key": None}
