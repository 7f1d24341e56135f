"""`loopwright cancel`."""

from __future__ import annotations

import argparse
import json

from loopwright.cli.client import connect
from loopwright.cli.home import home_option, with_home
from loopwright.errors import NotFoundError
from loopwright.ledger.location import exists
from loopwright.state import StateFolder


def cancel(parsed: argparse.Namespace) -> int:
    """End a change; returns as soon as that is recorded."""
    state = StateFolder.resolve(parsed.home)
    if not state.is_foreign() and not exists(state):
        raise NotFoundError(
            f"{state.root} holds no ledger, so nothing is under way there. --home names another state folder."
        )
    answer = connect(state).post("/v1/cancel", {"name": parsed.name})
    if parsed.json:
        print(json.dumps(answer))
    else:
        clean_up = f" Clean-up runs: {', '.join(answer['clean_up'])}." if answer["clean_up"] else ""
        anew = "" if answer["transfer"] else f" Its jobs end.{clean_up} `loopwright up` asks anew."
        print(f"Cancelled {answer['change']}: what serves stays.{with_home(anew, home_option(state))}")
    return 0
