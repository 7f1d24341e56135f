"""The command that reads what replicas recorded of requests: observations."""

from __future__ import annotations

from typing import Any

from loopwright.cli.commands.base import command, late, named, positive
from loopwright.cli.moments import beginning, end


def add(commands: Any) -> None:
    """Add it."""
    made = command(
        commands,
        "observations",
        late("observations", "observations"),
        "Show what was asked and answered, with its labels; write it to a file; or show how values spread.",
        """loopwright observations titanic
           loopwright observations titanic --environment prod --since 1h --role live
           loopwright observations titanic --since 2026-03-01 --labels --out titanic.parquet
           loopwright observations titanic --distributions""",
    )
    made.add_argument("workload", type=named, help="the workload, or a version of it such as titanic:17")
    made.add_argument("--environment", type=named, metavar="ENV", help="only this environment (default: all)")
    made.add_argument(
        "--since",
        type=beginning,
        metavar="TIME",
        help="2026-03-01, 2026-03-01T14:05, 2h or 3d (ago), today, yesterday; a time without an offset is this machine's",
    )
    made.add_argument("--until", type=end, metavar="TIME", help="the same; a day counts to its end")
    made.add_argument("--revision", type=named, help="only this revision; its beginning is enough")
    made.add_argument(
        "--role",
        choices=["live", "mirror", "test"],
        help="only these requests (default: all; of --distributions live)",
    )
    made.add_argument(
        "--id", type=named, help="only the request with this x-request-id, ours or the client's"
    )
    made.add_argument(
        "--labels", action="store_true", help="with the label that feedback gave each row, and its time"
    )
    made.add_argument(
        "--distributions",
        action="store_true",
        help="counts, extremes and quantiles of each column, beside the baseline",
    )
    made.add_argument(
        "--out",
        metavar="FILE",
        help="write all that match to a new file that ends in .parquet, .csv or .arrow",
    )
    made.add_argument("--limit", type=positive, help="how many of the newest are shown (default: 20)")
