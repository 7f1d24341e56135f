"""From somebody's own table to production, by two commands."""

from __future__ import annotations

import json
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from driving import Cli
from tables import Row, customers, houses, write

pytestmark = pytest.mark.acceptance


def brought_up(cli: Cli, folder: Path, table: Path, label: str) -> dict[str, Any]:
    """`init`, then `up`: what production serves then."""
    cli("init", str(folder), "--data", str(table), "--label", label)
    spec = folder / "loopwright.yaml"
    spec.write_text(spec.read_text().replace("p99: 2s", "p99: 20s"))  # the machine is shared with other tests
    lines = cli("up", str(folder), "--auto-approve", "--json").stdout.splitlines()
    end: dict[str, Any] = json.loads(lines[-1])
    assert end["state"] == "succeeded"
    return dict(end["environments"]["prod"])


def asked(serving: dict[str, Any], row: Row) -> Any:
    headers = {"content-type": "application/json", "authorization": f"Bearer {serving['key']}"}
    request = urllib.request.Request(serving["url"], json.dumps(row).encode(), headers)
    with urllib.request.urlopen(request, timeout=30) as response:
        return json.loads(response.read())


def test_text_labels_from_columns_of_all_kinds_with_gaps(cli: Cli, tmp_path: Path) -> None:
    serving = brought_up(cli, tmp_path / "customers", write(tmp_path / "customers.csv", customers()), "class")
    answer = asked(serving, serving["example"] | {"remark": None, "Größe: cm": None})
    assert answer["prediction"] in answer["probabilities"]
    assert len(answer["probabilities"]) == 3


def test_a_regression(cli: Cli, tmp_path: Path) -> None:
    serving = brought_up(cli, tmp_path / "houses", write(tmp_path / "houses.csv", houses()), "price")
    small, large = (asked(serving, {"size": size, "district": "A", "garden": True}) for size in (40, 190))
    assert 0 < small["prediction"] < large["prediction"] < 800_000
