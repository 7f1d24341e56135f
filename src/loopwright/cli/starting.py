"""`loopwright init`: asks for what is missing where a person sits at a terminal, and says what was decided."""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from pathlib import Path
from typing import Any

from loopwright.errors import UsageError

_LIKELY = ("label", "target", "class", "y", "outcome", "result")  # names that a label often has


def init(parsed: argparse.Namespace) -> int:
    """Write the first files of a workload."""
    from loopwright.operations.starting import Beginning
    from loopwright.operations.starting import init as begin

    data = Path(parsed.data or _asked(parsed, "--data", "A CSV or Parquet file: ", "the table to learn from"))
    label = parsed.label or _label(parsed, data)
    asked = Beginning(
        folder=Path(parsed.folder),
        data=data,
        label=label,
        name=parsed.name,
        task=parsed.task,
        owner=parsed.owner,
        leave_out=tuple(parsed.leave_out),
        use=tuple(parsed.use),
        force=parsed.force,
    )
    written = begin(asked)
    if parsed.json:
        print(json.dumps(written))
    else:
        _tell(written)
    return 0


def _asked(parsed: argparse.Namespace, option: str, question: str, what: str) -> str:
    if parsed.json or not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError(f"{option} is missing: {what}. `loopwright init --help` shows how it is used.")
    answer = _answer(question)
    if not answer:
        raise UsageError(f"Nothing was answered, expected {what}. {option} takes it too.")
    return answer


def _answer(question: str) -> str:
    try:
        return input(question).strip()
    except EOFError:
        return ""


def _label(parsed: argparse.Namespace, data: Path) -> str:
    """The label, asked for with the columns in view; a number chooses one."""
    from loopwright.operations.starting import columns_of

    columns = columns_of(data)
    if parsed.json or not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError(f"--label is missing: the column of {data} to predict, one of {', '.join(columns)}.")
    likely = next((name for name in columns if name.lower() in _LIKELY), columns[-1])
    for number, name in enumerate(columns, start=1):
        print(f"  {number:3}  {name}")
    answer = _answer(f"Which column is to be predicted? [{likely}]: ") or likely
    chosen = int(answer) if answer.isdigit() and answer not in columns else 0
    return columns[chosen - 1] if 0 < chosen <= len(columns) else answer


def _tell(written: dict[str, Any]) -> None:
    folder = written["folder"]
    print(f"{written['workload']}: wrote {len(written['files'])} files to {folder}")
    for name in written["files"]:
        print(f"    {name}")
    if written["kept"]:
        print(f"  kept as they are: {', '.join(written['kept'])}")
    print("\nDecided from the data; each is yours to change:")
    for decision in written["decisions"]:
        print(f"  - {decision}")
    for warning in written["warnings"]:
        print(f"warning: {warning}", file=sys.stderr)
    print(f"\nBring it to production: loopwright up{'' if folder == '.' else ' ' + shlex.quote(folder)}")
