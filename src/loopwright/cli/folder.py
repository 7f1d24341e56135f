"""`loopwright validate`, `schema` and `data infer`: what needs no control plane."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path


def validate(parsed: argparse.Namespace) -> int:
    """Check a spec; problems end with exit status 1, warnings do not."""
    from loopwright.operations.declaration import read_declaration

    declared = read_declaration(Path(parsed.folder))
    spec, warnings = declared.spec, [str(warning) for warning in declared.warnings]
    if parsed.json:
        print(json.dumps({"ok": True, "workload": spec.workload, "warnings": warnings}))
        return 0
    for warning in warnings:
        print(f"warning: {warning}", file=sys.stderr)
    print(f"{spec.workload}: the spec is valid{f', with {len(warnings)} warnings' if warnings else ''}.")
    return 0


def schema(parsed: argparse.Namespace) -> int:
    """Print the JSON Schema; it is JSON with and without --json."""
    del parsed
    from loopwright.spec import json_schema

    print(json.dumps(json_schema(), indent=2))
    return 0


def infer(parsed: argparse.Namespace) -> int:
    """Write a schema file where none stands."""
    from loopwright.operations.schemas import infer_schema

    written = infer_schema(Path(parsed.folder), parsed.name, parsed.force)
    if parsed.json:
        print(json.dumps(written))
    else:
        print(
            f"Wrote {written['path']}: {written['columns']} columns. It is yours now: read it, and tighten it.{written['advice']}"
        )
    return 0
