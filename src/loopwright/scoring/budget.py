"""How many bytes of requests a front holds: from the time that a body is read until its request is answered.

Requests are bounded in number by the queue, and each body by limits.max_body; without this, both bounds together could be
more than there is memory. HTTP and gRPC count into the same budget. What a body is as Python's objects takes more than its
bytes; a budget in bytes is what a person can reckon with.
"""

from __future__ import annotations

from loopwright.scoring.refusals import TooManyBytes
from loopwright.scoring.settings import Limits


class Budget:
    """`held` of `most` bytes are taken. Who takes some gives them back, on the same event loop."""

    __slots__ = ("held", "most")

    def __init__(self, limits: Limits) -> None:
        self.most = max(
            limits.bodies, limits.max_body
        )  # a body that is not too large must fit where there is no other
        self.held = 0

    def take(self, size: int) -> None:
        """Hold so many more; raises TooManyBytes where they are too many."""
        if self.held + size > self.most:
            raise TooManyBytes(
                f"This replica holds {self.held} bytes of other requests, and may hold {self.most}. Try again later."
            )
        self.held += size

    def give(self, size: int) -> None:
        """So many are held no more."""
        self.held -= size
