"""Ledgers on every store; the state tests run on each."""

from collections.abc import Callable, Iterator
from pathlib import Path

import postgres
import pytest
from ledgers import Place

from loopwright.ledger import Ledger, Store

Opener = Callable[[], Ledger]


@pytest.fixture(scope="session")
def server() -> Iterator[postgres.Postgres]:
    """A PostgreSQL server."""
    with postgres.running() as running:
        yield running


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def new_place(request: pytest.FixtureRequest) -> Callable[[Path], Place]:
    """Makes a place for a ledger in a folder; of each kind in turn."""
    if request.param == "sqlite":
        return lambda folder: Place(folder).create()
    server: postgres.Postgres = request.getfixturevalue("server")
    return lambda folder: Place(folder, server.url(server.database())).create()


@pytest.fixture
def place(new_place: Callable[[Path], Place], tmp_path: Path) -> Place:
    """A place without a ledger yet."""
    return new_place(tmp_path)


@pytest.fixture
def open_ledger(place: Place) -> Iterator[Opener]:
    """Opens the same ledger each time it is called."""
    opened: list[Ledger] = []

    def opener() -> Ledger:
        opened.append(place.open())
        return opened[-1]

    yield opener
    for ledger in opened:
        ledger.close()


@pytest.fixture
def ledger(open_ledger: Opener) -> Ledger:
    """One that a control plane has taken over."""
    one = open_ledger()
    one.take_over(now=1.0)
    return one


@pytest.fixture
def store(ledger: Ledger) -> Store:
    """What that ledger keeps its entries in."""
    return ledger._store
