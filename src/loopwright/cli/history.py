"""`loopwright history`: facts, --at, verify and export."""

from __future__ import annotations

import argparse
import json
from contextlib import closing
from pathlib import Path
from typing import Any

from loopwright.cli.client import Client
from loopwright.cli.lineage import ask, show
from loopwright.cli.lineage_tables import served
from loopwright.cli.table import listing, local
from loopwright.errors import UsageError
from loopwright.state import StateFolder

_FILTERS = ("workload", "since", "until", "actor", "object", "kind")


def history(parsed: argparse.Namespace) -> int:
    """Do what the action says; exit status 1 where the record is not whole."""
    _check(parsed)
    if parsed.action == "verify":
        return _verify(parsed)
    if parsed.action == "export":
        return _export(parsed)
    return _list(parsed) if parsed.at is None else _at(parsed)


def _check(parsed: argparse.Namespace) -> None:
    """Options that the action has no use for are refused: who gives one believes that it matters."""
    options = ("at", *_FILTERS, "environment", "format", "file")
    given = [name for name in options if getattr(parsed, name) is not None]
    allowed: tuple[str, ...] = _FILTERS
    what = "a list of facts"
    if parsed.action is not None:
        allowed, what = (("file", "format"), "export") if parsed.action == "export" else ((), "verify")
    elif "at" in given:
        allowed, what = ("at", "workload", "environment"), "--at"
    wrong = [name if name == "file" else f"--{name}" for name in given if name not in allowed]
    if wrong:
        raise UsageError(
            f"{what} does not take {' and '.join(wrong)}. `loopwright history --help` shows what goes together."
        )
    if parsed.action == "export" and parsed.file is None:
        raise UsageError("export needs the name of the FILE to write, such as history.jsonl.")


def _list(parsed: argparse.Namespace) -> int:
    query = {name: getattr(parsed, name) for name in _FILTERS} | {"limit": parsed.limit}
    state = StateFolder.resolve(parsed.home)
    client = Client(state)
    if client.running():
        found = client.get("/v1/history", **query)
    else:
        from loopwright.operations.history import Wish
        from loopwright.operations.history import history as read
        from loopwright.operations.sources import open_stopped

        with closing(open_stopped(state)) as ledger:
            found = read(ledger, Wish(**query))
    _show(parsed, found)
    return 0


def _show(parsed: argparse.Namespace, found: dict[str, Any]) -> None:
    if parsed.json:
        for fact in found["facts"]:
            print(json.dumps(fact))
        return
    rows = [
        [str(f["sequence"]), local(f["time"]), f["actor"], f["kind"], f["key"], f["summary"]]
        for f in found["facts"]
    ]
    if not rows:
        print(f"No fact matches. {found.get('hint', '')}".strip())
        return
    print("\n".join(listing(("#", "TIME", "ACTOR", "KIND", "OBJECT", "WHAT"), rows)))
    if found["more"]:
        print(f"These are the newest {len(rows)}; more match. --limit shows more of them.")


def _at(parsed: argparse.Namespace) -> int:
    found = ask(
        parsed,
        "/v1/history/at",
        "moments.served_at",
        at=None if parsed.at == "now" else parsed.at,
        workload=parsed.workload,
        environment=parsed.environment,
    )
    return show(parsed, found, served)


def _verify(parsed: argparse.Namespace) -> int:
    state = StateFolder.resolve(parsed.home)
    client = Client(state)
    if client.running():
        found = client.get("/v1/history/verify")
    else:
        from loopwright.operations.history import verify
        from loopwright.operations.sources import open_stopped

        with closing(open_stopped(state)) as ledger:
            found = verify(ledger)
    print(json.dumps(found) if parsed.json else found["sentence"])
    return 0 if found["ok"] else 1


def _export(parsed: argparse.Namespace) -> int:
    """Read by this process itself: the facts of years are more than one answer should hold."""
    from loopwright.operations.export import Format, export
    from loopwright.operations.sources import open_stopped

    file = Path(parsed.file)
    form: Format = parsed.format or ("csv" if file.suffix == ".csv" else "jsonl")
    with closing(open_stopped(StateFolder.resolve(parsed.home))) as ledger:
        anchor = export(ledger, file, form)
    if parsed.json:
        print(json.dumps(anchor))
    else:
        print(f"Wrote {anchor['facts']} facts to {file}. {anchor['verification']}")
        print(
            f"The last fact's hash, {anchor['last_hash']}, stands for all of them; it is in {file}.anchor.json too."
        )
    return 0
