"""`loopwright lock`: needs no control plane."""

from __future__ import annotations

import argparse
import json
from pathlib import Path


def lock(parsed: argparse.Namespace) -> int:
    """Write the lock, and say what changed in it."""
    from loopwright.operations.dependencies import lock as write

    written = write(Path(parsed.folder), parsed.upgrade)
    if parsed.json:
        print(json.dumps(written))
        return 0
    for name, version in written["added"].items():
        print(f"+ {name} {version}")
    for name, version in written["removed"].items():
        print(f"- {name} {version}")
    for name, (before, after) in written["updated"].items():
        print(f"  {name} {before} -> {after}")
    told = "Wrote" if written["changed"] else "Nothing changed in"
    commit = " Commit it." if written["changed"] else ""
    print(f"{told} {written['path']}: {written['packages']} packages for Python {written['python']}.{commit}")
    return 0
