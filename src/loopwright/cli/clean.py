"""`loopwright clean`."""

from __future__ import annotations

import argparse
import json
from typing import Any

from loopwright.cli.client import connect
from loopwright.cli.table import listing, size
from loopwright.errors import NotFoundError
from loopwright.ledger import exists
from loopwright.state import StateFolder

_KINDS = {
    "files": "contents of files",
    "trees": "folders of data, models and packages",
    "environments": "Python environments",
    "revisions": "settings of former revisions",
    "jobs": "folders of ended jobs",
    "observations": "segments of observations",
}
_PATIENCE = 3600.0  # seconds


def clean(parsed: argparse.Namespace) -> int:
    """Remove what is old and nobody needs, and say what went."""
    state = StateFolder.resolve(parsed.home)
    if not exists(state):
        raise NotFoundError(
            f"{state.root} holds no ledger, so there is nothing to clean. --home names another state folder."
        )
    asked = {"older_than": parsed.older_than, "dry_run": parsed.dry_run}
    found = connect(state).post("/v1/clean", asked, timeout=_PATIENCE)
    print(json.dumps(found) if parsed.json else _told(found))
    return 0


def _told(found: dict[str, Any]) -> str:
    if not found["removed"]:
        if found["older_than"] == "0s":
            return "Nothing to clean: all that is there is still needed, or was put there just now."
        return f"Nothing to clean: all that is older than {found['older_than']} is still needed."
    verb = "Would free" if found["dry_run"] else "Freed"
    rows = [[_KINDS.get(kind, kind), str(count)] for kind, count in found["removed"].items()]
    lines = listing(["what", "how many"], rows)
    return "\n".join([*lines, f"{verb} {size(found['bytes'])}."])
