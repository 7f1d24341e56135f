"""Whether a package's model was compiled, in words, from the result of its step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def told(output: Mapping[str, Any]) -> str:
    """What the compiled form rests on, or why there is none; nothing of a package with a script, or made before 0.3."""
    report = output.get("compilation")
    if report is None:
        return f"not compiled: {output['uncompiled']}" if output.get("uncompiled") else ""
    rows = report["held_out_rows"] + report["generated_rows"]
    worst = max(report["worst_difference"].values(), default=0.0)
    found = f"differs by {worst:.1g} at most" if worst else "equal"
    return f"compiled: {found} in {rows} rows"
