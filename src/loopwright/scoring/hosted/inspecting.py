"""What newer Pythons have made quicker in `inspect`, for workers on older ones.

`inspect.getattr_static` asks of every class in a value's ancestry whether it hides its instances' `__dict__`. Python 3.12 keeps
the answers (https://github.com/python/cpython/issues/103193), 3.11 and older find them anew each time. scikit-learn 1.9 asks
some sixty times for one row, by way of narwhals: a tenth of the time that a small pipeline takes.
"""

from __future__ import annotations

import sys
from abc import ABCMeta
from functools import lru_cache
from typing import Any, Callable

_KEPT = 256  # ancestries, which are held in memory meanwhile
_ancestry = type.__dict__["__mro__"].__get__  # as inspect does it: nothing that a class defines is run


def quicken() -> None:
    """Have it keep these answers, where it is in use and does not do so by itself."""
    inspect = sys.modules.get("inspect")
    find = getattr(inspect, "_shadowed_dict", None)
    if sys.version_info < (3, 12) and find is not None:
        inspect._shadowed_dict = remembering(find)  # type: ignore[union-attr]


def remembering(find: Callable[[type], Any]) -> Callable[[type], Any]:
    """The same function of a class, asked once for each ancestry: nothing else that it looks at can change.

    Classes whose metaclass is another than Python's own are asked about each time: to compare them might run its code.
    """

    @lru_cache(_KEPT)
    def found(ancestry: tuple[type, ...]) -> Any:
        return find(ancestry[0])

    def look(klass: type) -> Any:
        kind = type(klass)
        if kind is type or kind is ABCMeta:
            return found(_ancestry(klass))
        return find(klass)

    return look
