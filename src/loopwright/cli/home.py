"""Commands to paste reach the state folder that they are about: hints name it where the default one is not meant.

Sentences come from all rooms, and name commands in backticks; only the command line knows how the folder was named.
"""

from __future__ import annotations

import re
import shlex

from loopwright.state import StateFolder

_COMMAND = re.compile(r"`loopwright ([a-z][^`]*)`")
_ANYWHERE = ("init", "validate", "schema", "completion", "lock", "data infer")  # use no state folder


def with_home(text: str, option: str) -> str:
    """A text with `option` (such as " --home /srv/loopwright", or empty) in each of its commands that lacks it."""

    def told(found: re.Match[str]) -> str:
        words = found[1]
        needless = words.startswith(_ANYWHERE) or " --h" in words  # --home or --help
        return found[0] if needless else f"`loopwright {words}{option}`"

    return _COMMAND.sub(told, text) if option else text


def home_option(state: StateFolder) -> str:
    """What a command needs to reach this state folder from anywhere; empty for the default one."""
    return "" if state == StateFolder.resolve("~/.loopwright") else f" --home {shlex.quote(str(state.root))}"
