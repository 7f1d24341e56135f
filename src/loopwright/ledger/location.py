"""Where a state folder's ledger is: a file in it, or the PostgreSQL database that settings.json names.

Chosen once, when the ledger is made, by `$LOOPWRIGHT_LEDGER`; from then on settings.json holds it, so that every command
and every restart finds the same one. A password is never part of it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from urllib.parse import parse_qs, urlsplit

from loopwright.errors import ConflictError, MachineError
from loopwright.ledger.hold import Hold, OneHolder
from loopwright.ledger.ledger import Ledger
from loopwright.ledger.lock import Lock
from loopwright.ledger.store import Store
from loopwright.state import StateFolder, keep_settings, read_settings

VARIABLE = "LOOPWRIGHT_LEDGER"
_SETTING = "ledger"
_SCHEMES = ("postgresql", "postgres")


def url_of(state: StateFolder, environment: Mapping[str, str] = os.environ) -> str:
    """The database's URL; empty where the ledger is the file ledger.db.

    Raises MachineError for what is no such URL, ConflictError where the variable and the state folder disagree.
    """
    known, asked = read_settings(state.settings).get(_SETTING, ""), environment.get(VARIABLE, "")
    chosen = known or asked
    if chosen:
        _check(chosen, str(state.settings) if known else VARIABLE)
    if asked and known and asked != known:
        raise ConflictError(
            f"{VARIABLE} is {asked}, but the ledger of {state.root} is {known} (settings.json). Unset the variable, or name "
            "another state folder; `loopwright backup` and `restore` move a ledger."
        )
    if asked and not known and state.ledger.exists():
        raise ConflictError(
            f"{VARIABLE} is {asked}, but the ledger of {state.root} is the file {state.ledger.name} in it. Unset the variable, or "
            "name another state folder; `loopwright backup` and `restore` move a ledger."
        )
    return str(chosen)


def exists(state: StateFolder) -> bool:
    """Whether this state folder has a ledger; raises MachineError where it is not ours to look into."""
    try:
        return state.ledger.exists() or bool(read_settings(state.settings).get(_SETTING))
    except PermissionError as error:
        raise MachineError(
            f"The state folder {state.root} belongs to another user, and its control plane does not answer. Ask its owner to "
            "run `loopwright server`, or name a folder of your own with --home."
        ) from error


def open_ledger(state: StateFolder) -> Ledger:
    """Open the state folder's ledger, or make a new one where `url_of` says. Raises as `Ledger.open` does."""
    url = url_of(state)
    if not url:
        return Ledger.open(state.ledger, state.ledger_key, state.ledger_head)
    ledger = Ledger.over(_database(url), state.ledger_key, state.ledger_head)
    if read_settings(state.settings).get(_SETTING) != url:
        keep_settings(state.settings, **{_SETTING: url})
    return ledger


def hold_of(state: StateFolder) -> Hold:
    """The locks that a control plane of this state holds; nothing is taken yet."""
    url = url_of(state)
    locks: list[OneHolder] = [Lock(state.control_lock)]
    if url:
        _require(url)
        from loopwright.ledger.advisory_lock import AdvisoryLock

        locks.append(AdvisoryLock(url))
    return Hold(locks)


def _database(url: str) -> Store:
    _require(url)
    from loopwright.ledger.postgresql import PostgresStore

    return PostgresStore(url)


def _require(url: str) -> None:
    try:
        import psycopg  # noqa: F401
    except ImportError as error:
        raise MachineError(
            f"The ledger {url} needs psycopg, which is not installed. pip install 'loopwright[server,postgresql]'"
        ) from error


def _check(url: object, where: str) -> None:
    parts = urlsplit(url) if isinstance(url, str) else None
    if parts is None or parts.scheme not in _SCHEMES:
        raise MachineError(
            f"{where}: ledger: found {url!r}, expected an address such as postgresql://USER@HOST:5432/DATABASE."
        )
    if parts.password is not None or "password" in parse_qs(parts.query):
        raise MachineError(
            f"{where}: ledger: the address holds a password, which would be shown and stored. Leave it out, and give it by "
            "PGPASSWORD or ~/.pgpass."
        )
