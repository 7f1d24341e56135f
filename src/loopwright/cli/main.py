"""Entry of the `loopwright` command."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from loopwright.errors import LoopwrightError


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command and exit: 0 done, 1 a clear no, 2 not understood, 130 interrupted."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words in (["--version"], ["-V"]):
        from loopwright import __version__

        print(f"loopwright {__version__}")
        return
    sys.exit(_run(words))


def _run(words: list[str]) -> int:
    from loopwright.cli.parser import parse
    from loopwright.errors import LoopwrightError, MachineError, UsageError

    as_json = "--json" in words
    home = ""
    try:
        parsed = parse(words)
        home = _home(parsed)
        status: int = parsed.run(parsed)
        sys.stdout.flush()
    except UsageError as error:
        _tell(error, as_json)
        return 2
    except LoopwrightError as error:
        _tell(error, as_json, home)
        return 1
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("loopwright"):
            raise
        _tell(
            MachineError(
                f"This command needs {error.name}, which is not installed. pip install 'loopwright[server]'"
            ),
            as_json,
        )
        return 1
    except KeyboardInterrupt:
        ended = "--foreground" in words
        told = (
            "Everything was ended." if ended else "What was asked for goes on; `loopwright status` shows it."
        )
        print(f"\nloopwright: interrupted. {_completed(told, home)}", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # The reader has gone (`loopwright history | head`); nothing is left to say, and Python must not say it at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return status


def _home(parsed: argparse.Namespace) -> str:
    """The option that commands in hints need to mean the same state folder; empty where it was not named by one."""
    import shlex

    given = getattr(parsed, "home", None)
    return f" --home {shlex.quote(given)}" if given else ""


def _completed(text: str, home: str) -> str:
    from loopwright.cli.home import with_home

    return with_home(text, home)


def _tell(error: LoopwrightError, as_json: bool, home: str = "") -> None:
    if as_json:
        print(
            json.dumps({"error": {"code": error.code, "message": error.message, "details": error.details()}})
        )
        return
    print(f"loopwright: {_completed(error.message, home)}\n[{error.code}]", file=sys.stderr)


if __name__ == "__main__":
    main()
