"""Names as people type them: whole, or so much of one that it can be no other; an unknown one is told what comes near."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from loopwright.errors import NotFoundError

_MOST = 8  # names that a message lists


def pick(given: str, known: Iterable[str], what: str) -> str:
    """The known name that is meant; `what` is its kind, such as `workload`. Raises NotFoundError."""
    names = list(dict.fromkeys(known))
    if given in names:
        return given
    begun = [name for name in names if given and name.startswith(given)]
    if len(begun) == 1:
        return begun[0]
    if begun:
        raise NotFoundError(f"{given!r} could be any {what} of {_some(begun)}. Give more of it.")
    near = get_close_matches(given, names, 3, 0.5)
    hint = f"Did you mean {' or '.join(near)}?" if near else f"Known: {_some(names)}."
    raise NotFoundError(f"No {what} {given!r} is known here. {hint}")


def _some(names: list[str]) -> str:
    if not names:
        return "none yet"
    more = f" and {len(names) - _MOST} more" if len(names) > _MOST else ""
    return ", ".join(names[:_MOST]) + more
