"""`loopwright retire`."""

from __future__ import annotations

import argparse
import json

from loopwright.cli.client import connect
from loopwright.errors import NotFoundError
from loopwright.ledger.location import exists
from loopwright.state import StateFolder


def retire(parsed: argparse.Namespace) -> int:
    """End what serves in an environment; returns as soon as that is recorded."""
    state = StateFolder.resolve(parsed.home)
    if not state.is_foreign() and not exists(state):
        raise NotFoundError(
            f"{state.root} holds no ledger, so nothing serves from there. --home names another state folder."
        )
    names = ("environment", "workload", "comment")
    answer = connect(state).post("/v1/retirements", {name: getattr(parsed, name) for name in names})
    if parsed.json:
        print(json.dumps(answer))
    else:
        print(
            f"{answer['environment']}: {answer['version']} serves there no longer. What was recorded stays."
        )
    return 0
