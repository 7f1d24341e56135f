"""The commands with their options, help and examples."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any, NoReturn

from loopwright.errors import UsageError

Run = Callable[[argparse.Namespace], int]


class _Parser(argparse.ArgumentParser):
    """Raises our error instead of exiting."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}. `{self.prog} --help` shows how it is used.")


def _late(module: str, name: str) -> Run:
    """A command's function, imported when it runs."""

    def run(parsed: argparse.Namespace) -> int:
        from importlib import import_module

        function: Run = getattr(import_module(f"loopwright.cli.{module}"), name)
        return function(parsed)

    return run


def _common() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--home", help="state folder (default: $LOOPWRIGHT_HOME, else ~/.loopwright)")
    common.add_argument("--json", action="store_true", help="answer as JSON, for programs")
    return common


def build() -> argparse.ArgumentParser:
    """The whole command line."""
    parser = _Parser(
        prog="loopwright",
        description="The whole MLOps loop of an AI workload from one spec file.",
        epilog="Start with: loopwright up examples/titanic",
        allow_abbrev=False,
    )
    parser.add_argument("-V", "--version", action="store_true", help="print the version and exit")
    commands = parser.add_subparsers(metavar="COMMAND", required=True, parser_class=_Parser)
    _loop_commands(commands)
    _record_commands(commands)
    _folder_commands(commands)
    _machine_commands(commands)
    return parser


def parse(words: list[str]) -> argparse.Namespace:
    """Parse a command line; raises UsageError. Help prints itself and exits with status 0."""
    parser = build()
    if not words:
        parser.print_help()
        raise SystemExit(2)
    return parser.parse_args(words)


def _command(commands: Any, name: str, run: Run, summary: str, examples: str) -> argparse.ArgumentParser:
    command: argparse.ArgumentParser = commands.add_parser(
        name,
        help=summary,
        description=summary,
        epilog="examples:\n" + "\n".join(f"  {line.strip()}" for line in examples.strip().splitlines()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        parents=[_common()],
        allow_abbrev=False,
    )
    command.set_defaults(run=run)
    return command


def _loop_commands(commands: Any) -> None:
    up = _command(
        commands,
        "up",
        _late("up", "up"),
        "Bring what a folder declares to production, doing only what has changed.",
        """loopwright up
           loopwright up examples/titanic --auto-approve
           loopwright up --no-wait""",
    )
    up.add_argument(
        "folder",
        nargs="?",
        default=".",
        metavar="DIR",
        help="folder with loopwright.yaml (default: this one)",
    )
    up.add_argument("--auto-approve", action="store_true", help="approve without asking; recorded as such")
    up.add_argument("--no-wait", action="store_true", help="ask for it and return at once")
    up.add_argument(
        "--foreground",
        action="store_true",
        help="run the control plane in this command and end everything with it, as for CI",
    )
    for name, summary in (
        ("approve", "Say yes to a release that waits."),
        ("reject", "Say no to a release that waits."),
    ):
        command = _command(
            commands,
            name,
            _late("decide", name),
            summary,
            f'loopwright {name} titanic-3-prod --comment "seen with operations"',
        )
        command.add_argument(
            "id", metavar="ID", type=_named, help="the approval, as `up` and `status` show it"
        )
        command.add_argument("--comment", default="", help="why; kept in the history")


def _record_commands(commands: Any) -> None:
    status = _command(
        commands,
        "status",
        _late("records", "status"),
        "Show what runs, what serves where, and what waits.",
        """loopwright status
           loopwright status titanic --json""",
    )
    status.add_argument("workload", nargs="?", help="only this workload")
    logs = _command(
        commands,
        "logs",
        _late("records", "logs"),
        "Show the output of a step's newest job, or of an environment's replicas.",
        """loopwright logs titanic train
           loopwright logs titanic prod
           loopwright logs titanic train --follow""",
    )
    logs.add_argument("workload", help="the workload")
    logs.add_argument("part", nargs="?", help="a step or an environment (default: the step that ran last)")
    logs.add_argument("-f", "--follow", action="store_true", help="go on as more is written")
    history = _command(
        commands,
        "history",
        _late("records", "history"),
        "Show who did what and when, or verify that the record is whole.",
        """loopwright history
           loopwright history --workload titanic --limit 20
           loopwright history verify""",
    )
    history.add_argument(
        "action", nargs="?", choices=["verify"], help="verify: check the chain of hashes and its signed head"
    )
    history.add_argument("--workload", help="only this workload")
    history.add_argument(
        "--limit", type=_positive, default=50, help="how many of the newest facts (default: 50)"
    )


def _named(text: str) -> str:
    if not text.strip():
        raise argparse.ArgumentTypeError("found nothing, expected a name such as titanic-3-prod")
    return text


def _positive(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"found {text!r}, expected a whole number of at least 1")
    return int(text)


def _folder_commands(commands: Any) -> None:
    validate = _command(
        commands,
        "validate",
        _late("folder", "validate"),
        "Check a spec and the files it names; run nothing.",
        """loopwright validate
           loopwright validate examples/titanic --json""",
    )
    validate.add_argument(
        "folder",
        nargs="?",
        default=".",
        metavar="DIR",
        help="folder with loopwright.yaml (default: this one)",
    )
    _command(
        commands,
        "schema",
        _late("folder", "schema"),
        "Print the JSON Schema of loopwright.yaml.",
        "loopwright schema > loopwright.schema.json",
    )
    data = commands.add_parser(
        "data", help="Work with data.", description="Work with data.", allow_abbrev=False
    )
    actions = data.add_subparsers(metavar="ACTION", required=True, parser_class=_Parser)
    infer = _command(
        actions,
        "infer",
        _late("folder", "infer"),
        "Write a first schema file from the data as they are; then it is yours.",
        """loopwright data infer
           loopwright data infer examples/titanic --name passengers --force""",
    )
    infer.add_argument(
        "folder",
        nargs="?",
        default=".",
        metavar="DIR",
        help="folder with loopwright.yaml (default: this one)",
    )
    infer.add_argument("--name", help="the data set (default: the only one)")
    infer.add_argument("--force", action="store_true", help="replace a schema file that is there")


def _machine_commands(commands: Any) -> None:
    _command(
        commands,
        "down",
        _late("lifecycle", "down"),
        "End everything that runs of this state folder; what was recorded stays.",
        "loopwright down",
    )
    _command(
        commands, "doctor", _late("lifecycle", "doctor"), "Say what this machine lacks.", "loopwright doctor"
    )
    _command(
        commands,
        "server",
        _late("lifecycle", "server"),
        "Run the control plane in the foreground, as a service manager wants it. Other commands start it by themselves.",
        "loopwright server",
    )
