"""Moments: count, extremes, mean and spread of numbers, which add up as counts do, up to rounding.

Source: Chan, Golub and LeVeque, "Algorithms for computing the sample variance", 1983.
"""

from __future__ import annotations

import math
import sys

import msgspec
import numpy as np
from numpy.typing import NDArray

_GREATEST = sys.float_info.max


class Moments(msgspec.Struct, frozen=True):
    """Of finite numbers."""

    count: int = 0
    low: float | None = None
    high: float | None = None
    mean: float = 0.0
    squares: float = 0.0  # sum of squared distances from the mean

    @classmethod
    def of(cls, numbers: NDArray[np.float64]) -> Moments:
        """Those of an array of finite numbers."""
        if not numbers.size:
            return cls()
        with np.errstate(over="ignore"):  # sums near 1e308 are said to be the greatest number there is
            mean = _finite(float(numbers.mean()))
            squares = _finite(float(np.square(numbers - mean).sum()))
        return cls(numbers.size, float(numbers.min()), float(numbers.max()), mean, squares)

    def __add__(self, more: Moments) -> Moments:
        """Of both together."""
        if self.low is None or self.high is None or more.low is None or more.high is None:
            return self if more.low is None else more
        count, apart = self.count + more.count, _finite(more.mean - self.mean)
        between = apart * (self.count * (more.count / count)) * apart
        return Moments(
            count=count,
            low=min(self.low, more.low),
            high=max(self.high, more.high),
            mean=_finite(self.mean + apart * (more.count / count)),
            squares=_finite(self.squares + more.squares + between),
        )

    def rounded(self) -> Moments:
        """To twelve digits: processors add in different orders, and a package must be the same bytes on all of them."""
        mean, squares = (float(f"{number:.12g}") for number in (self.mean, self.squares))
        return msgspec.structs.replace(self, mean=_finite(mean), squares=_finite(squares))

    @property
    def deviation(self) -> float | None:
        """The standard deviation of these numbers; None where there is none."""
        return math.sqrt(self.squares / self.count) if self.count else None


def _finite(number: float) -> float:
    """JSON has no infinity, and what is added to one is lost."""
    return min(max(number, -_GREATEST), _GREATEST)
