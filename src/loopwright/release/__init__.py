"""How a revision comes into an environment without a request failing: a pure decision, one move at a time.

What comes in: how the new revision's replicas, its check, the routes and the records stand. What goes out: the next
move, or the reason why the release fails (the old revision then goes on serving). Performed by `loop`. Imports nothing
of Loopwright.
"""

from loopwright.release.approvals import (
    Granted,
    Refused,
    Rule,
    Verdict,
    Void,
    Vote,
    Waiting,
    hindrance,
    verdict,
)
from loopwright.release.moves import Failure, Move, Standing, next_move

__all__ = [
    "Failure",
    "Granted",
    "Move",
    "Refused",
    "Rule",
    "Standing",
    "Verdict",
    "Void",
    "Vote",
    "Waiting",
    "hindrance",
    "next_move",
    "verdict",
]
