"""`loopwright secrets`: the value comes from standard input or a file, and never from the command line."""

from __future__ import annotations

import argparse
import json
import os
import pwd
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from loopwright.cli.client import Client, connect
from loopwright.cli.home import home_option
from loopwright.cli.table import listing, local
from loopwright.errors import NotFoundError, UsageError
from loopwright.ledger.location import exists
from loopwright.state import StateFolder

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from loopwright.operations.secrets import Keeper


def set_(parsed: argparse.Namespace) -> int:
    """Keep a value under a name."""
    if parsed.more:
        raise UsageError(
            "A secret's value is not taken from the command line, where other programs and the shell's history have it. "
            f"Pipe it in (loopwright secrets set {parsed.name} < FILE), or name a file with --file."
        )
    value = _value(parsed)
    state = StateFolder.resolve(parsed.home)
    answer = _asked(
        state,
        lambda client: client.post(f"/v1/secrets/{quote(parsed.name, safe='')}", {"value": value}),
        lambda secrets, keeper: secrets.set_secret(keeper, parsed.name, value, _user()),
    )
    if parsed.json:
        print(json.dumps(answer))
        return 0
    told = (
        f"The secret {parsed.name} is set."
        if answer["changed"]
        else f"The secret {parsed.name} is what it was."
    )
    users = (
        f" `loopwright up{home_option(state)}` gives it to {', '.join(answer['workloads'])}."
        if answer["workloads"]
        else ""
    )
    print(f"{told}{users if answer['changed'] else ''}")
    return 0


def remove(parsed: argparse.Namespace) -> int:
    """Forget it."""
    answer = _asked(
        _known(parsed),
        lambda client: client.post(f"/v1/secrets/{quote(parsed.name, safe='')}/remove", {}),
        lambda secrets, keeper: secrets.remove_secret(keeper, parsed.name, _user()),
    )
    if parsed.json:
        print(json.dumps(answer))
        return 0
    users = ", ".join(answer["workloads"])
    more = f" What starts of {users} from now on lacks it." if users else ""
    print(f"The secret {parsed.name} is removed.{more}")
    return 0


def list_(parsed: argparse.Namespace) -> int:
    """Names, never values."""
    found = _asked(
        _known(parsed),
        lambda client: client.get("/v1/secrets"),
        lambda secrets, keeper: secrets.list_secrets(keeper),
    )
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


def _known(parsed: argparse.Namespace) -> StateFolder:
    """The state folder, for what makes nothing; raises NotFoundError where there is nothing yet."""
    state = StateFolder.resolve(parsed.home)
    if not state.is_foreign() and not exists(state):
        raise NotFoundError(
            f"{state.root} holds no ledger, so no secret is set there. --home names another state folder."
        )
    return state


def _asked(
    state: StateFolder, living: Callable[[Client], Any], alone: Callable[[ModuleType, Keeper], Any]
) -> Any:
    """The answer of the control plane; where none lives that of the operation itself: nothing has to run for it."""
    if not (state.is_foreign() or Client(state).running()):
        from loopwright.operations import secrets

        with secrets.without_control_plane(state) as keeper:
            if keeper is not None:
                return alone(secrets, keeper)
    return living(connect(state))


def _user() -> str:
    """Who asks, as a control plane would see it: by the user id."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"uid:{os.getuid()}"


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
