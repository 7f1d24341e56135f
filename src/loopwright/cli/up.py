"""`loopwright up`: ask for a change, show it happen, and say where it serves."""

from __future__ import annotations

import argparse
import json
import os
import shlex
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from loopwright.cli.caller import with_environment
from loopwright.cli.client import Client, connect, start
from loopwright.cli.home import home_option
from loopwright.cli.lifecycle import bring_down
from loopwright.cli.live import Progress, view
from loopwright.cli.patience import ABSENCE, AGAIN, persist
from loopwright.cli.readiness import readiness
from loopwright.errors import ConflictError, NotFoundError, StepFailed, read_places
from loopwright.state import StateFolder

if TYPE_CHECKING:
    from collections.abc import Iterator

_WAIT = 5.0  # seconds that one request for news may wait


def up(parsed: argparse.Namespace) -> int:
    """Exit status 0 once all serves, 1 for a definite no."""
    state = StateFolder.resolve(parsed.home)
    with _control_plane(state, parsed.foreground) as client:
        home = home_option(state)
        wish = {
            "folder": str(Path(parsed.folder).absolute()),
            "auto_approve": parsed.auto_approve,
            "again": parsed.again,
            "token": os.urandom(16).hex(),  # `persist` may ask twice, and means one change
        }
        asked = with_environment(lambda body: persist(client, lambda: client.post("/v1/changes", body)), wish)
        announce(asked, parsed.json)
        if parsed.no_wait:
            _require_not_held(client, asked, home)
            print(
                json.dumps(asked)
                if parsed.json
                else f"{asked['change']} is under way; `loopwright up{home}` shows it, `loopwright status{home}` too."
            )
            return 0
        progress = _follow(client, asked, parsed.json, home)
        _end(client, asked, progress, parsed)
    return 0


@contextmanager
def _control_plane(state: StateFolder, foreground: bool) -> Iterator[Client]:
    if not foreground:
        yield connect(state)
        return
    state.create()
    client = Client(state)
    if client.running():
        raise ConflictError(
            f"A control plane already runs for {state.root}; leave out --foreground, or run `loopwright down` first."
        )
    try:
        # In a session of its own: an interrupt from the keyboard is for this command, which then ends it in order.
        start(client)
        yield client
    finally:
        bring_down(state)


def announce(asked: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print(json.dumps({"event": "asked"} | asked), flush=True)
        return
    for warning in asked["warnings"] if asked["new"] else ():  # else they were told when it was asked for
        print(f"warning: {warning}", file=sys.stderr)
    if asked["new"]:
        print(f"{asked['change']}: bringing {asked['workload']} to production")
    elif not asked["finished"]:
        print(f"{asked['change']} is under way already; showing it")
    if sys.stdout.isatty() and not asked["finished"]:
        print(f"{asked['change']}: {asked['plan']}")


def _follow(client: Client, asked: dict[str, Any], as_json: bool, home: str) -> Progress:
    """Show the change until it ends. It goes on by itself where this command is interrupted."""
    shown, version = view(as_json, home), 0
    while True:
        progress = _news(client, asked["change"], version)
        if progress["state"] in ("succeeded", "failed", "held", "paused", "cancelled", "superseded"):
            if not (asked["finished"] and progress["state"] == "succeeded" and version == 0):
                shown.end(progress)
            return progress
        if progress["version"] != version or progress["state"] == "running":
            shown.show(progress)
        version = progress["version"]


def _news(client: Client, change: str, after: int) -> Progress:
    """The next progress; a control plane that has just started may not have looked at the change yet."""
    query = {"after": after, "wait": 0.5 if sys.stdout.isatty() and after else _WAIT}
    deadline = time.monotonic() + ABSENCE
    while True:
        try:
            news: Progress = persist(client, lambda: client.get(f"/v1/changes/{change}", **query))
        except NotFoundError:
            if time.monotonic() > deadline:
                raise
            time.sleep(AGAIN)
        else:
            return news


def _end(client: Client, asked: dict[str, Any], progress: Progress, parsed: argparse.Namespace) -> None:
    _warn_of_clean_up(progress)
    if progress["state"] == "superseded":
        raise ConflictError(f"{asked['change']} was superseded by {progress['by']}.")
    if progress["state"] == "cancelled":
        raise ConflictError(
            f"{asked['change']} was cancelled by {progress['by']}. What serves stays; `loopwright up` asks anew."
        )
    if progress["state"] == "held":
        raise ConflictError(_held(asked, progress, home_option(client.state)))
    if progress["state"] == "failed":
        raise failure(asked, progress, home_option(client.state))
    workload = client.get("/v1/status", workload=asked["workload"])["workloads"][0]
    if parsed.json:
        print(
            json.dumps(
                {
                    "event": "end",
                    "state": progress["state"],
                    "change": asked["change"],
                    "new": asked["new"],
                    "environments": workload["environments"],
                }
            )
        )
        return
    unchanged = all(step["state"] == "cached" for step in progress["steps"])
    waiting = next((step for step in progress["steps"] if step["state"] == "manual"), None)
    if waiting is not None:
        print(f"{asked['change']} goes no further by itself: {waiting['message']}{home_option(client.state)}")
    elif unchanged or (not asked["new"] and asked["finished"]):
        print(f"Nothing to do: nothing has changed since {asked['change']}, and all of it serves.")
    if not parsed.foreground:
        _invite(client.state, workload)


def failure(asked: dict[str, Any], progress: Progress, home: str = "") -> StepFailed:
    """Why it failed: every step that did, the first one first."""
    failed = [step for step in progress["steps"] if step["state"] == "failed" and not step["clean_up"]]
    told = [f"{step['message']}{_see(asked['workload'], step, home)}" for step in failed]
    others = [
        f"\n{step['step']} has failed, too. {why}" for step, why in zip(failed[1:], told[1:], strict=True)
    ]
    places = [place for step in failed for place in read_places(step)]
    return StepFailed(f"{asked['change']} {_where(progress, failed[0])}. {told[0]}{''.join(others)}", places)


def _warn_of_clean_up(progress: Progress) -> None:
    for step in progress["steps"]:
        if step["state"] == "failed" and step["clean_up"]:  # which undoes nothing
            print(f"warning: the clean-up {step['step']} failed. {step['message']}", file=sys.stderr)


def _where(progress: Progress, failed: dict[str, Any]) -> str:
    if not failed["own"] or any(step["state"] == "stopped" for step in progress["steps"]):
        return f"stopped at {failed['step']}"
    return f"has failed at {failed['step']}, which nothing waits for: all else is done"


def _require_not_held(client: Client, asked: dict[str, Any], home: str) -> None:
    """Raises ConflictError for a change that a rollback holds: it does not go on by itself."""
    if asked["new"]:
        return
    progress = _news(client, asked["change"], 0)
    if progress["state"] == "held":
        raise ConflictError(_held(asked, progress, home))


def _held(asked: dict[str, Any], progress: Progress, home: str) -> str:
    held = [step for step in progress["steps"] if step["state"] == "held"]
    told = ", and ".join(f"{step['step']} was {step['message']}" for step in held)
    return (
        f"{asked['change']} is held: {told}. It is not released again by itself. Change what was wrong and run `loopwright up{home}`, "
        f"or release it anew as it is: `loopwright up --again{home}`."
    )


def _see(workload: str, step: dict[str, Any], home: str) -> str:
    return f"\nSee also: loopwright logs {workload} {step['step']}{home}" if step["job"] else ""


def _invite(state: StateFolder, workload: dict[str, Any]) -> None:
    """Say where it serves, with a line to paste, and how to stop."""
    print()
    for environment, serving in workload["environments"].items():
        print(f"{environment}: {serving['version']} at {serving['url']} ({readiness(serving)})")
    last = list(workload["environments"].values())[-1]
    print("\nTry it:\n")
    print(curl(last))
    home = home_option(state)
    print(
        f"\nIt goes on serving in the background. See it: loopwright status{home}   Stop it: loopwright down{home}"
    )


def curl(serving: dict[str, Any]) -> str:
    """One line that asks an endpoint for the prediction of the package's example."""
    words = ["curl", "-sS", serving["url"], "-H", "Content-Type: application/json"]
    if serving["key"]:
        words += ["-H", f"Authorization: Bearer {serving['key']}"]
    return shlex.join([*words, "-d", json.dumps(serving["example"])])
