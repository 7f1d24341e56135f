"""Set, list and remove secrets. Each leaves a fact with the name and who did it, and never the value."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from loopwright.engines.local.driver import agent_runs
from loopwright.errors import ConflictError, NotFoundError, UsageError
from loopwright.ledger import hold_of, open_ledger
from loopwright.loop.book import Book
from loopwright.operations.telling import utc
from loopwright.secrets.providers import Secrets
from loopwright.secrets.references import NAME
from loopwright.state import StateFolder


class Keeper(Protocol):
    """Who keeps secrets and facts: a control plane, or the command line where none lives."""

    @property
    def secrets(self) -> Secrets: ...
    @property
    def book(self) -> Book: ...


@dataclass(frozen=True)
class _Alone:
    secrets: Secrets
    book: Book


@contextmanager
def without_control_plane(state: StateFolder) -> Iterator[Keeper | None]:
    """What to keep secrets with where nothing runs, held so that no control plane begins meanwhile; None where one lives,
    or an agent that is about to start one."""
    state.create()
    hold = hold_of(state)
    try:
        hold.acquire()
    except ConflictError:
        yield None
        return
    try:
        if agent_runs(state):
            yield None
            return
        with closing(open_ledger(state)) as ledger:
            yield _Alone(Secrets(state), Book(ledger))
    finally:
        hold.release()


def set_secret(control: Keeper, name: str, value: str, actor: str) -> dict[str, Any]:
    """Keep a value; the one before is gone. Raises UsageError for a name or value that cannot be one."""
    if not re.fullmatch(NAME, name):
        raise UsageError(
            f"The secret is called {name!r}, expected a name of letters, digits and `_`, such as API_TOKEN."
        )
    now = time.time()
    changed = control.secrets.vault.set(name, value, "set", actor, now)
    # Also where it was the same: it may have been kept just before a crash, and the fact not.
    control.book.append("secret.set", "", name, {"name": name, "source": "set"}, actor, now)
    return {"name": name, "changed": changed, "workloads": _users(control).get(name, [])}


def remove_secret(control: Keeper, name: str, actor: str) -> dict[str, Any]:
    """Forget a value; what runs keeps what it has. Raises NotFoundError where there is none."""
    entries = control.secrets.vault.entries()
    if name not in entries:
        raise NotFoundError(f"No secret {name} is set. Set are: {', '.join(entries) or 'none'}.")
    # The fact first: after a crash between the two the secret is still there to be removed again.
    control.book.append("secret.removed", "", name, {"name": name}, actor, time.time())
    control.secrets.vault.remove(name)
    return {"name": name, "workloads": _users(control).get(name, [])}


def list_secrets(control: Keeper) -> list[dict[str, Any]]:
    """Every secret that is set or referred to: its name, where it comes from, since when, and who uses it."""
    users, entries = _users(control), control.secrets.vault.entries()
    folder = control.secrets.folder()
    found = []
    for name in sorted(entries.keys() | users.keys()):
        told: dict[str, Any] = {"source": "", "by": "", "at": None}
        entry = entries.get(name)
        if entry is not None:
            told = {"source": entry.source, "by": entry.by, "at": utc(entry.at)}
        elif folder is not None and (folder / name).is_file():
            told = {"source": str(folder), "by": "", "at": utc((folder / name).stat().st_mtime)}
        found.append({"name": name, **told, "workloads": users.get(name, [])})
    return found


def _users(control: Keeper) -> dict[str, list[str]]:
    """Which workloads' newest changes refer to each secret."""
    view = control.book.view
    users: dict[str, list[str]] = {}
    with control.book.locked():
        for workload, change in sorted(view.newest.items()):
            for name in view.changes[change].secrets:
                users.setdefault(name, []).append(workload)
    return users
