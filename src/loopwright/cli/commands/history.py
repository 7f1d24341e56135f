"""The command `history`: what happened, what served at a moment, whether the record is whole, and a copy of it."""

from __future__ import annotations

from typing import Any

from loopwright.cli.commands.base import command, late, named, positive
from loopwright.cli.moments import beginning, end, past


def add(commands: Any) -> None:
    """Add it."""
    history = command(
        commands,
        "history",
        late("history", "history"),
        "Show who did what and when; what served at a moment; verify that the record is whole, or export it.",
        """loopwright history
           loopwright history --workload titanic --since yesterday --kind 'release.*'
           loopwright history --actor bob --since 2026-03-01 --until 2026-03-31 --json
           loopwright history --object titanic:17
           loopwright history --at 2026-03-01T14:05 --workload titanic --environment prod
           loopwright history verify
           loopwright history export --format csv history.csv""",
    )
    history.add_argument(
        "action",
        nargs="?",
        choices=["verify", "export"],
        help="verify: check the chain of hashes and its signed head; export: write all facts to FILE, for auditors",
    )
    history.add_argument("file", nargs="?", metavar="FILE", help="of export; an anchor is written beside it")
    history.add_argument(
        "--format", choices=["jsonl", "csv"], help="of export (default: what FILE ends with, else jsonl)"
    )
    history.add_argument(
        "--workload",
        type=named,
        help="only this workload, its beginning is enough; or a version such as titanic:17",
    )
    history.add_argument("--environment", type=named, metavar="ENV", help="with --at: only this environment")
    history.add_argument(
        "--at",
        type=past,
        metavar="TIME",
        help="what served then, approved by whom, trained on which data and commit; `now` is a moment too",
    )
    history.add_argument(
        "--since",
        type=beginning,
        metavar="TIME",
        help="2026-03-01, 2026-03-01T14:05, 2h or 3d (ago), today, yesterday; a time without an offset is this machine's",
    )
    history.add_argument("--until", type=end, metavar="TIME", help="the same; a day counts to its end")
    history.add_argument(
        "--actor", type=named, help="only what this user did; `loopwright` is the loop itself"
    )
    history.add_argument(
        "--object",
        type=named,
        help="only what concerns a change, approval, job, environment, version (titanic:17), run, or the beginning of a digest",
    )
    history.add_argument(
        "--kind", type=named, help="only facts of this kind, such as release.completed or 'approval.*'"
    )
    history.add_argument(
        "--limit", type=positive, default=50, help="how many of the newest facts that match (default: 50)"
    )
