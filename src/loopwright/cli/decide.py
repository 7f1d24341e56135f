"""`loopwright approve` and `loopwright reject`."""

from __future__ import annotations

import argparse
import json
from urllib.parse import quote

from loopwright.cli.client import connect
from loopwright.cli.home import home_option, with_home
from loopwright.errors import NotFoundError
from loopwright.ledger import exists
from loopwright.state import StateFolder


def approve(parsed: argparse.Namespace) -> int:
    """Say yes."""
    return _decide(parsed, "approve")


def reject(parsed: argparse.Namespace) -> int:
    """Say no."""
    return _decide(parsed, "reject")


def _decide(parsed: argparse.Namespace, decision: str) -> int:
    state = StateFolder.resolve(parsed.home)
    if not state.is_foreign() and not exists(state):
        raise NotFoundError(
            f"{state.root} holds no ledger, so nothing waits there. --home names another state folder."
        )
    client = connect(state)
    answer = client.post(
        f"/v1/approvals/{quote(parsed.id, safe='')}", {"decision": decision, "comment": parsed.comment}
    )
    if parsed.json:
        print(json.dumps(answer))
    elif answer["missing"]:
        more = "one more person has" if answer["missing"] == 1 else f"{answer['missing']} more people have"
        print(
            f"Your yes to {parsed.id} is recorded; {more} to say yes before the release to {answer['environment']} goes on."
        )
    elif decision == "approve":
        told = (
            f"Approved {parsed.id}. The release to {answer['environment']} goes on; `loopwright up` shows it."
        )
        print(with_home(told, home_option(state)))
    else:
        print(f"Rejected {parsed.id}. What serves in {answer['environment']} stays.")
    return 0
