"""What the commands about the record say of a real `up`."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from driving import Production

pytestmark = pytest.mark.acceptance


def test_the_record_of_a_real_up_answers_every_question(production: Production) -> None:
    cli = production.cli
    (version,) = cli.json("models", "titanic")[:1]
    assert version["commit"]
    assert version["rows"] == 1317
    assert version["metrics"]["accuracy"] > 0.7
    (run,) = (one for one in cli.json("runs", "titanic") if one["run"] == version["run"])
    assert (run["status"], run["data_version"], run["commit"]) == (
        "succeeded",
        version["data_version"],
        version["commit"],
    )
    assert run["duration"] > 0
    package = cli.json("packages", "titanic", version["package"])
    assert {"model/model.joblib", "code/score.py", "requirements.lock"} <= set(package["files"])
    assert package["signature"]["output"]["type"] == "object"
    (data,) = cli.json("data", "show", "titanic", version["data_version"])["versions"]
    assert data["statistics"]["age"]["count"] == 1317
    assert version["name"] in data["versions"]


def test_what_served_is_told_for_each_moment_of_a_real_up(production: Production) -> None:
    cli = production.cli
    first = next(one for one in cli.json("releases", "titanic") if one["environment"] == "prod")
    since = datetime.fromisoformat(first["since"]).timestamp()

    def served(at: float) -> dict[str, Any]:
        moment = datetime.fromtimestamp(at).astimezone().isoformat()
        found: list[dict[str, Any]] = cli.json(
            "history", "--at", moment, "--workload", "titanic", "--environment", "prod"
        )
        return found[0]

    before, after = served(since - 0.01), served(since + 0.01)
    assert (before["serving"], after["serving"]) == (False, True)
    assert after["release"]["version"] == first["version"]
    assert after["release"]["approvals"][0]["automatic"] is True
    assert after["data"]["rows"] == 1317
    newest = cli("models", "titanic", "--newest-approved", "prod").stdout.strip()
    assert newest == cli.serving()["version"]
