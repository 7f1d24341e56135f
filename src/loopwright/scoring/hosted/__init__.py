"""What a worker hosts for the front: a scoring script in one of its forms, or a model without a script.

Why it exists: `worker_shim` speaks to the front and keeps a process alive; what user code looks like is another matter. It
runs in the user's own interpreter too, loaded by the shim from this folder: nothing newer than Python 3.8, no import of
Loopwright, and none that the script does not need.

A host has `start()`, called once before anything is scored; `told`, what the front must know of it; and it answers by
`text`, `rows` or `request`, whichever `told` says. Answers are Python values, or awaitables of them. One with `warm_up()` is
asked for the package's example by it; `takes_example` says whether it is ready only once it has answered.
"""

from __future__ import annotations

from typing import Any, Callable

from .parts import Config, Refused
from .settling import settle

__all__ = ["Refused", "load", "settle"]


def load(
    config: dict[str, Any], import_entry: Callable[[str, str], Any], beside: Callable[[str], Any]
) -> Any:
    """The host for what `config` names; `beside` loads another folder of the front's."""
    wanted = Config(config)
    if wanted.model is not None:
        from .model import HostedModel

        return HostedModel(wanted, beside)
    from .stand_ins import stand_in

    stand_in()
    module = import_entry(wanted.code, wanted.entry)
    from .script import choose

    return choose(module, wanted, beside)
