"""What the agent observed last, for who only looks: nothing is started, made or changed by it."""

from __future__ import annotations

import msgspec

from loopwright.engines.base import EngineReport
from loopwright.engines.local.agent_starter import agent_runs
from loopwright.engines.local.desired import Observed
from loopwright.state import StateFolder

__all__ = ["observed_report"]


def observed_report(state: StateFolder) -> EngineReport:
    """The newest report; an empty one where no agent lives, since nothing vouches for it then."""
    if not agent_runs(state):
        return EngineReport()
    try:
        return msgspec.json.decode(state.observed.read_bytes(), type=Observed).report
    except (
        OSError,
        msgspec.DecodeError,
        UnicodeDecodeError,
    ):  # the agent has just begun, or will write it anew
        return EngineReport()
