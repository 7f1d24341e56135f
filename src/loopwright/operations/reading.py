"""Reading the record without a control plane, also while one runs; nothing is made where nothing is."""

from __future__ import annotations

from loopwright.ledger import Fact, exists, open_ledger
from loopwright.state import StateFolder


def read_facts(state: StateFolder) -> list[Fact]:
    """All facts of a state folder, in order; none where it has no ledger."""
    if not exists(state):
        return []
    ledger = open_ledger(state)
    try:
        return ledger.facts()
    finally:
        ledger.close()
