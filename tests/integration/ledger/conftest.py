"""Ledgers on every store; the state tests run on each."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from loopwright.ledger import Ledger, Store

Opener = Callable[[], Ledger]


@pytest.fixture(params=["sqlite"])
def open_ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Opener]:
    """Opens the same ledger each time it is called."""
    opened: list[Ledger] = []

    def opener() -> Ledger:
        openers = {
            "sqlite": lambda: Ledger.open(
                tmp_path / "ledger.db", tmp_path / "ledger.key", tmp_path / "ledger.head"
            )
        }
        opened.append(openers[request.param]())
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
