"""What a worker does once all has come up and before it serves: so that every call is spared what looks through all of it."""

from __future__ import annotations

import gc
import warnings
from typing import Any

from .inspecting import quicken

_MEANT_FOR_IMPORTS = ("the matrix subclass", "numpy.ndarray size", "numpy.ufunc size", "numpy.dtype size")


def settle() -> None:
    """What has come up stays: spare every call what looks through all of it.

    The garbage collector need not visit what init() has made. And scikit-learn sets all filters of warnings anew for each
    tree of a forest, which is a quarter of the time that it takes; so equal ones are joined, and those that Python and NumPy
    have for the time of imports are dropped. `inspecting` says what else.
    """
    gc.collect()
    gc.freeze()
    warnings.filters[:] = joined_filters(warnings.filters)  # type: ignore[index]
    changed = getattr(warnings, "_filters_mutated", None) or getattr(
        warnings, "_filters_mutated_lock_held", None
    )
    if changed is not None:
        changed()
    quicken()


def joined_filters(filters: Any) -> list[Any]:
    """The same filters of warnings, but fewer: neighbours that differ in their category alone become one."""
    found: list[Any] = []
    for action, message, category, module, line in filters:
        pattern = getattr(message, "pattern", message) or ""
        about = getattr(module, "pattern", module) or ""
        if about == "__main__" or (action == "ignore" and pattern.startswith(_MEANT_FOR_IMPORTS)):
            continue
        last = found[-1] if found else None
        if (
            not pattern
            and not about
            and not line
            and last
            and last[0] == action
            and last[1] is last[3] is None
            and not last[4]
        ):
            found[-1] = (action, None, _categories(last[2]) + _categories(category), None, 0)
        else:
            found.append((action, message, category, module, line))
    return found


def _categories(category: Any) -> tuple[Any, ...]:
    return category if isinstance(category, tuple) else (category,)
