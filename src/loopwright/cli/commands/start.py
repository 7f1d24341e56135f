"""The commands that one begins with: init, completion."""

from __future__ import annotations

from typing import Any

from loopwright.cli.commands.base import command, late, named


def add(commands: Any) -> None:
    """Add this group."""
    init = command(
        commands,
        "init",
        late("starting", "init"),
        "Write a workload for a table of your own: spec, schema, scripts and tests that `up` brings to production.",
        """loopwright init churn --data customers.csv --label left
           loopwright init --data rows.parquet --label price --task regression --leave-out offer_id""",
    )
    init.add_argument(
        "folder", nargs="?", default=".", metavar="DIR", help="folder to write to (default: this one)"
    )
    init.add_argument(
        "--data", metavar="FILE", help="CSV or Parquet file; copied to DIR/data where it lies elsewhere"
    )
    init.add_argument("--label", metavar="COLUMN", help="the column to predict")
    init.add_argument(
        "--task", choices=["classification", "regression"], help="what it is (default: found from the label)"
    )
    init.add_argument("--name", help="the workload (default: named after the folder)")
    init.add_argument("--owner", help="who answers for it (default: the mail address that git knows)")
    init.add_argument(
        "--leave-out",
        action="append",
        default=[],
        type=named,
        metavar="COLUMN",
        help="a column that the model must not see; may be given several times",
    )
    init.add_argument(
        "--use",
        action="append",
        default=[],
        type=named,
        metavar="COLUMN",
        help="a column that the model is to see though it looks of no use; may be given several times",
    )
    init.add_argument("--force", action="store_true", help="replace files that are there")
    completion = command(
        commands,
        "completion",
        late("completion", "completion"),
        "Print a script that completes commands, options and files in your shell.",
        """loopwright completion bash > ~/.local/share/bash-completion/completions/loopwright
           loopwright completion zsh > ~/.zfunc/_loopwright
           loopwright completion fish > ~/.config/fish/completions/loopwright.fish""",
    )
    completion.add_argument("shell", choices=["bash", "zsh", "fish"], help="which shell")
