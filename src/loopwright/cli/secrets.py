"""`loopwright secrets`: the value comes from standard input or a file, and never from the command line."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from urllib.parse import quote

from loopwright.cli.client import Client, connect
from loopwright.cli.home import home_option
from loopwright.cli.table import listing, local
from loopwright.errors import NotFoundError, UsageError
from loopwright.ledger.location import exists
from loopwright.state import StateFolder


def set_(parsed: argparse.Namespace) -> int:
    """Keep a value under a name."""
    if parsed.more:
        raise UsageError(
            "A secret's value is not taken from the command line, where other programs and the shell's history have it. "
            f"Pipe it in (loopwright secrets set {parsed.name} < FILE), or name a file with --file."
        )
    value = _value(parsed)
    client = connect(StateFolder.resolve(parsed.home))
    answer = client.post(f"/v1/secrets/{quote(parsed.name, safe='')}", {"value": value})
    if parsed.json:
        print(json.dumps(answer))
        return 0
    told = (
        f"The secret {parsed.name} is set."
        if answer["changed"]
        else f"The secret {parsed.name} is what it was."
    )
    users = (
        f" `loopwright up{home_option(client.state)}` gives it to {', '.join(answer['workloads'])}."
        if answer["workloads"]
        else ""
    )
    print(f"{told}{users if answer['changed'] else ''}")
    return 0


def remove(parsed: argparse.Namespace) -> int:
    """Forget it."""
    answer = _reader(parsed).post(f"/v1/secrets/{quote(parsed.name, safe='')}/remove", {})
    if parsed.json:
        print(json.dumps(answer))
        return 0
    users = ", ".join(answer["workloads"])
    more = f" What starts of {users} from now on lacks it." if users else ""
    print(f"The secret {parsed.name} is removed.{more}")
    return 0


def list_(parsed: argparse.Namespace) -> int:
    """Names, never values."""
    found = _reader(parsed).get("/v1/secrets")
    if parsed.json:
        print(json.dumps(found))
        return 0
    if not found:
        home = home_option(StateFolder.resolve(parsed.home))
        print(f"No secret is set. `loopwright secrets set NAME{home}` sets one.")
        return 0
    rows = [
        [one["name"], one["source"] or "missing", one["by"], local(one["at"]), ", ".join(one["workloads"])]
        for one in found
    ]
    print("\n".join(listing(["SECRET", "FROM", "BY", "SINCE", "USED BY"], rows)))
    return 0


def _reader(parsed: argparse.Namespace) -> Client:
    """A client for what makes nothing; raises NotFoundError where there is nothing yet."""
    state = StateFolder.resolve(parsed.home)
    if not state.is_foreign() and not exists(state):
        raise NotFoundError(
            f"{state.root} holds no ledger, so no secret is set there. --home names another state folder."
        )
    return connect(state)


def _value(parsed: argparse.Namespace) -> str:
    """What is given, less one line end behind it."""
    from loopwright.secrets.providers import without_newline

    if parsed.file is None and sys.stdin.isatty():
        from getpass import getpass

        return getpass(f"Value of {parsed.name} (not shown): ")
    where = "standard input" if parsed.file is None else parsed.file
    try:
        content = sys.stdin.buffer.read() if parsed.file is None else Path(parsed.file).read_bytes()
        return without_newline(content.decode())
    except OSError as error:
        raise UsageError(f"{where} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise UsageError(f"What {where} holds is not text in UTF-8. Encode it, in base64 say.") from None
