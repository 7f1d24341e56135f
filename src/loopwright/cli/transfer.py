"""`loopwright rollback` and `loopwright promote`: ask for it, follow it, and say what has come of it."""

from __future__ import annotations

import argparse
import json
import os
import time
from functools import partial
from typing import TYPE_CHECKING, Any

from loopwright.cli.client import Client, connect
from loopwright.cli.home import home_option
from loopwright.cli.live import view
from loopwright.cli.patience import ABSENCE, AGAIN, persist
from loopwright.errors import ConflictError, NotFoundError, StepFailed
from loopwright.ledger import exists
from loopwright.state import StateFolder

if TYPE_CHECKING:
    from collections.abc import Callable

_WAIT = 5.0  # seconds that one request for news may wait


def rollback(parsed: argparse.Namespace) -> int:
    """Exit status 0 once every request is answered by the earlier version."""
    client = _client(parsed)
    asked = _ask(client, "/v1/rollbacks", {"words": parsed.words, "comment": parsed.comment})
    where = f"{asked['environment']}: {asked['from']} -> {asked['to']}"
    if not parsed.json:
        cold = "" if asked["warm"] else ", whose replicas have to be started first"
        print(f"{asked['transfer']}: taking {asked['environment']} back to {asked['to']}{cold}", flush=True)
    progress = follow(client, asked)
    took = progress["took"]
    if parsed.json:
        print(json.dumps(asked | {"state": progress["state"], "seconds": took}))
    else:
        print(f"{where}, answering{f' after {took:.1f} s' if took is not None else ''}")
        if held := _held(client, asked):
            home = home_option(client.state)
            print(f"{held} is held: `loopwright up{home}` goes on once something has changed in its folder.")
    return 0


def _held(client: Client, asked: dict[str, Any]) -> str:
    """The change that this rollback keeps out of the environment; empty where it went forward again to what is wanted."""
    change = client.get("/v1/status", workload=asked["workload"])["workloads"][0]["change"]
    here = (step["state"] for step in change["steps"] if step["step"] == asked["environment"])
    return str(change["change"]) if "held" in here else ""


def promote(parsed: argparse.Namespace) -> int:
    """Exit status 0 once it serves there, 1 for a definite no."""
    client = _client(parsed)
    names = ("source", "target", "workload", "skip", "comment")
    asked = _ask(client, "/v1/promotions", {name: getattr(parsed, name) for name in names})
    if parsed.no_wait:
        print(
            json.dumps(asked)
            if parsed.json
            else f"{asked['transfer']} is under way; `loopwright status{home_option(client.state)}` shows it."
        )
        return 0
    if not parsed.json:
        print(
            f"{asked['transfer']}: bringing {asked['to']} from {asked['source']} to {asked['environment']}",
            flush=True,
        )
    shown = view(parsed.json, home_option(client.state))
    progress = follow(client, asked, shown.show)
    shown.end(progress)
    if parsed.json:
        print(json.dumps({"event": "end"} | asked | {"state": progress["state"]}))
    else:
        print(f"{asked['to']} serves in {asked['environment']}.")
    return 0


def _client(parsed: argparse.Namespace) -> Client:
    state = StateFolder.resolve(parsed.home)
    if not state.is_foreign() and not exists(state):
        raise NotFoundError(
            f"{state.root} holds no ledger, so nothing serves from there. --home names another state folder."
        )
    return connect(state)


def _ask(client: Client, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """Ask for a transfer; where the answer is lost, ask again, and mean the same one."""
    body["token"] = os.urandom(16).hex()
    asked: dict[str, Any] = persist(client, lambda: client.post(path, body))
    return asked


def follow(
    client: Client, asked: dict[str, Any], show: Callable[[dict[str, Any]], None] = lambda progress: None
) -> dict[str, Any]:
    """The transfer's progress at its end, with the seconds that it took; raises StepFailed where it failed."""
    path = f"/v1/changes/{asked['transfer']}"
    version, deadline = 0, time.monotonic() + ABSENCE
    while True:
        try:
            progress: dict[str, Any] = persist(client, partial(client.get, path, after=version, wait=_WAIT))
        except NotFoundError:  # asked for, and not looked at yet
            if time.monotonic() > deadline:
                raise
            time.sleep(AGAIN)
            continue
        version = progress["version"]
        if progress["state"] == "failed":
            failed = next(step for step in progress["steps"] if step["state"] == "failed")
            raise StepFailed(f"{asked['transfer']} failed. {failed['message']}")
        if progress["state"] in ("superseded", "cancelled"):
            raise ConflictError(f"{asked['transfer']} was {progress['state']}.")
        if progress["state"] == "succeeded":
            ended = progress["steps"][-1].get("ended_at") if progress["steps"] else None
            return progress | {"took": ended - progress["requested_at"] if ended else None}
        show(progress)
