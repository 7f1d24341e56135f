"""How long to wait before something that failed is tried again."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Backoff"]


@dataclass
class Backoff:
    """The first failure is answered at once, each further one twice as late, up to `longest` seconds."""

    first: float = 0.5
    longest: float = 30.0
    stable: float = 60.0  # seconds of life after which earlier failures are forgotten
    failures: int = 0
    again_at: float = 0.0

    def failed(self, now: float, lived: float = 0.0) -> None:
        """Something failed after having lived so many seconds."""
        self.failures = 1 if lived >= self.stable else self.failures + 1
        wait = self.first * 2.0 ** min(self.failures - 2, 30) if self.failures > 1 else 0.0
        self.again_at = now + min(self.longest, wait)

    def allows(self, now: float) -> bool:
        """Whether the next try may be made."""
        return now >= self.again_at
