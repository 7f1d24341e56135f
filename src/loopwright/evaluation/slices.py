"""Which slice each held-out row belongs to, for the gates that ask for one.

A column's values are its slices. A column of numbers with many different values is cut into quartiles of the held-out
rows; cut once over all of them, so that candidate and champion are compared on the same slices.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from loopwright.evaluation.labels import canonical, number

MANY = 10  # more different numbers than this are cut into quartiles
MISSING = "(missing)"


def assign(values: Sequence[object]) -> list[str]:
    """The slice of each value, in order: the value's own text, a quartile such as `7.9 to 14.5`, or `(missing)`."""
    texts = [canonical(value) for value in values]
    numbers = [None if isinstance(value, str) else number(value) for value in values]  # text is never cut
    known = [found for found in numbers if found is not None]
    if len(known) < sum(text is not None for text in texts) or len(set(known)) <= MANY:
        return [MISSING if text is None else text for text in texts]
    edges = _quartiles(known)
    return [MISSING if found is None else _bin(found, edges) for found in numbers]


def _quartiles(values: Sequence[float]) -> list[float]:
    import numpy as np

    return sorted({float(edge) for edge in np.quantile(values, [0, 0.25, 0.5, 0.75, 1])})


def _bin(value: float, edges: Sequence[float]) -> str:
    """Bins hold their lower edge; the last one holds its upper edge too."""
    bins = list(pairwise(edges))
    low, high = next((pair for pair in bins if value < pair[1]), bins[-1])
    return f"{low:.6g} to {high:.6g}"
