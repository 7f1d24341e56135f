"""SIGKILLs at random moments of everything, during one change after another, under constant load.

The seed decides what is killed and when; it is printed, and LOOPWRIGHT_CHAOS_SEED gives it again. LOOPWRIGHT_CHAOS_KILLS
says how many kills: 30 here, 500 by `make chaos`.
"""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from driving import Cli
from killing import Kill, Killer
from open_loop import Asked, OpenLoop
from tiny_workload import make_tiny
from waiting import until

pytestmark = pytest.mark.chaos

KILLS = int(os.environ.get("LOOPWRIGHT_CHAOS_KILLS", "30"))
SEED = int(os.environ.get("LOOPWRIGHT_CHAOS_SEED", random.SystemRandom().randrange(10**6)))
RATE = 40.0  # requests a second
FASTEST = 0.05  # seconds: the kernel tells a client of a killed process's connections within this


def change(folder: Path, number: int) -> None:
    """A new commit's worth: other data, another training script, and answers that tell which change they come from."""
    rows = (folder / "rows.csv").read_text()
    (folder / "rows.csv").write_text(f"{rows}{1 + number / 1000:.3f},1\n")
    train, score = (folder / "train.py").read_text(), (folder / "score.py").read_text()
    (folder / "train.py").write_text(f"{train}# {number}\n")
    before = f'"by": {number - 1}' if number > 1 else '"prediction"'
    after = f'"by": {number}' if number > 1 else f'"by": {number}, "prediction"'
    (folder / "score.py").write_text(score.replace(before, after))


@pytest.fixture
def cli(tmp_path: Path) -> Iterator[Cli]:
    cli = Cli(tmp_path / "home")
    yield cli
    cli("down")


@pytest.mark.timeout(240 + 20 * KILLS)
def test_whatever_is_killed_each_change_is_released_once_and_every_request_answered(
    cli: Cli, tmp_path: Path
) -> None:
    print(f"LOOPWRIGHT_CHAOS_SEED={SEED} LOOPWRIGHT_CHAOS_KILLS={KILLS}")
    environments = "{dev: {}, prod: {approval: required}}"
    folder = make_tiny(tmp_path / "tiny", environments=environments)
    spec = folder / "loopwright.yaml"
    spec.write_text(spec.read_text().replace("{min: 1, max: 1}", "{min: 2, max: 2}"))
    change(folder, 1)
    cli("up", str(folder), "--auto-approve")
    serving, killer, number = cli.serving(), Killer(cli.home, SEED), 1
    with OpenLoop(serving["url"], serving["key"], serving["example"], RATE, tmp_path / "asked.jsonl") as load:
        while len(killer.kills) < KILLS:
            number += 1
            change(folder, number)
            with killer.at_work(KILLS):
                cli("up", str(folder), "--auto-approve", timeout=600)
            assert_one_of_each(cli, number)
            assert_it_answers(cli, number)
            print(f"change {number}: {len(killer.kills)} kills", flush=True)
    told = Counter(kill.target for kill in killer.kills)
    print(f"{number - 1} changes, {len(load.asked)} requests, {len(killer.kills)} kills: {dict(told)}")
    assert_no_request_failed(load.asked, killer.kills)


def assert_one_of_each(cli: Cli, number: int) -> None:
    """One model version and one release in each environment for each change, and the registry tells the same."""
    verified = cli.json("history", "verify")
    assert verified["ok"], verified
    facts = cli.facts(limit=100_000)
    registered = [f for f in facts if f["kind"] == "step.succeeded" and f["body"]["step"] == "register"]
    assert [int(f["body"]["output"]["version"]) for f in registered] == list(range(1, number + 1))
    released = [f["body"] for f in facts if f["kind"] == "release.completed"]
    expected = [(e, v) for v in range(1, number + 1) for e in ("dev", "prod")]
    assert [(body["environment"], int(body["version"])) for body in released] == expected
    assert len([f for f in facts if f["kind"] == "change.completed"]) == number
    api = f"{until(lambda: ready(cli))['tracking_url']}/api/2.0/mlflow"
    found = told(f"{api}/model-versions/search", filter="name='tiny'", max_results="10000")
    versions = [int(version["version"]) for version in found["model_versions"]]
    assert sorted(versions) == list(range(1, number + 1))
    for environment in ("dev", "prod"):
        alias = told(f"{api}/registered-models/alias", name="tiny", alias=environment)
        assert int(alias["model_version"]["version"]) == number


def ready(cli: Cli) -> dict[str, Any] | None:
    """The status, once the control plane is back, if it was killed last."""
    status: dict[str, Any] = cli.status()
    return status if status["running"] and status["services"] else None


def told(url: str, **asked: str) -> Any:
    """What the tracking server answers: if it was killed last, it comes back by itself.

    What the status says of it may be older than its death, and a part of it may outlive its parent by a moment.
    """

    def look() -> list[httpx.Response]:
        try:
            return [httpx.get(url, params=asked, timeout=30)]
        except httpx.TransportError:
            return []

    [answer] = until(look)
    assert answer.status_code == 200, answer.text
    return answer.json()


def assert_it_answers(cli: Cli, number: int) -> None:
    """What serves is this change's model, in every environment."""
    for environment in ("dev", "prod"):
        serving = cli.serving(environment)
        answer = httpx.post(
            serving["url"],
            json=serving["example"],
            headers={"authorization": f"Bearer {serving['key']}"},
            timeout=30,
        )
        assert answer.json()["by"] == number, (environment, answer.text)


def assert_no_request_failed(asked: list[Asked], kills: list[Kill]) -> None:
    """But those in flight inside a gateway that was killed: their connection broke, at that moment."""
    gateways = [kill for kill in kills if kill.target == "gateway"]
    failed = [one for one in asked if one.status != 200]
    unexplained = [
        one
        for one in failed
        if one.status != 0
        or not any(one.begun - FASTEST <= kill.gone and kill.at <= one.ended for kill in gateways)
    ]
    print(f"{len(failed)} requests broke inside a killed gateway, of {len(gateways)} killed")
    assert unexplained == [], [
        (one, [kill for kill in kills if abs(kill.at - one.begun) < 3]) for one in unexplained[:5]
    ]
    assert len(asked) > RATE
