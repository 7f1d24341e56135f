"""Reading the record without a control plane, also while one runs; nothing is made where nothing is."""

from __future__ import annotations

from loopwright.ledger import Fact, exists, open_ledger
from loopwright.loop.view import View
from loopwright.state import StateFolder


def read_facts(state: StateFolder, workload: str | None = None) -> list[Fact]:
    """All facts of a state folder, or of one workload, in order; none where it has no ledger."""
    if not exists(state):
        return []
    ledger = open_ledger(state)
    try:
        return ledger.facts(workload=workload)
    finally:
        ledger.close()


def read_view(state: StateFolder) -> View:
    """All facts of a state folder by the questions that are asked of them."""
    view = View()
    for fact in read_facts(state):
        view.apply(fact)
    return view
