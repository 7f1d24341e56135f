"""A ledger of some days' work, and the command line on it; nothing runs."""

from __future__ import annotations

import pytest
from driving import Here
from story import DAY, START, Story, in_folder


@pytest.fixture(scope="session")
def story() -> Story:
    """A workload's history."""
    return told_story()


def told_story() -> Story:
    """Three versions: the first by one who does not ask, the second approved by bob; the third was rejected."""
    told = Story()
    told.life("control.started")
    told.release(approve=("ann", ""), auto=True, accuracy=0.81)
    told.now = START + DAY
    told.release(
        rows=1400, commit="b" * 40, dirty=True, approve=("bob", "seen with operations"), accuracy=0.85
    )
    told.now = START + 2 * DAY
    change = told.register(rows=1400, commit="c" * 40, trees=200, accuracy=0.84)
    told.deploy(change, "dev")
    told.ask(change)
    told.decide(change, "bob", "not on a Friday", yes=False)
    told.fail(told.request(rows=3), "data", "age: 3 values below 0")
    return told


@pytest.fixture(scope="session")
def records(story: Story, tmp_path_factory: pytest.TempPathFactory) -> Here:
    """The command line on that ledger, and on that of another workload; only to be read."""
    other = Story("churn", now=START + 0.5)
    other.release()
    return Here(in_folder(tmp_path_factory.mktemp("records"), story, other).root)
