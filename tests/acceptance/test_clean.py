"""Cleaning through the real command line: what is needed stays, and what is missing is made again."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from driving import Cli
from tiny_workload import make_tiny

from loopwright.catalog import Store
from loopwright.state import StateFolder

pytestmark = pytest.mark.acceptance


@pytest.fixture(scope="module")
def cli() -> Iterator[Cli]:
    """A tiny workload that serves its second version."""
    with tempfile.TemporaryDirectory(prefix="lw-", ignore_cleanup_errors=True) as folder:
        cli = Cli(Path(folder) / "home")
        tiny = make_tiny(Path(folder) / "tiny")
        cli("up", str(tiny))
        (tiny / "train.py").write_text((tiny / "train.py").read_text() + "\n# second\n")
        cli("up", str(tiny))
        yield cli
        cli.run("down")


def let_it_be_old(state: StateFolder) -> None:
    before = (time.time() - 7200,) * 2
    for folder in (state.store, state.environments, state.jobs, state.revisions):
        for path in folder.rglob("*"):
            os.utime(path, before)


def asked(cli: Cli) -> int:
    serving = cli.serving("dev")
    headers = {"authorization": f"Bearer {serving['key']}"}
    return httpx.post(serving["url"], json=serving["example"], headers=headers, timeout=60).status_code


def test_only_what_nobody_needs_goes(cli: Cli) -> None:
    state = StateFolder(cli.home)
    stray = Store(state.store).put_bytes(b"nobody's")
    jobs = {folder.name for folder in state.jobs.iterdir()}
    cli("up", str(cli.home.parent / "tiny"))
    let_it_be_old(state)
    would = cli.json("clean", "--dry-run", "--older-than", "0s")
    assert (state.store / "files" / stray[:2] / stray).exists()
    found = cli.json("clean", "--older-than", "0s")
    assert found["removed"] == would["removed"]
    assert stray in [item["name"] for item in found["items"] if item["kind"] == "files"]
    left = {folder.name for folder in state.jobs.iterdir()}
    assert left < jobs
    assert {job.split(".")[1] for job in left} == {
        job.split(".")[1] for job in jobs
    }  # the newest of each step
    assert set(found["removed"]) == {"files", "jobs"}
    assert list(state.trash.iterdir()) == []
    (fact,) = cli.facts("state.cleaned")
    assert (fact["body"]["removed"], fact["body"]["bytes"]) == (found["removed"], found["bytes"])
    assert "Nothing to do" in cli("up", str(cli.home.parent / "tiny")).stdout
    assert asked(cli) == 200


def test_after_a_too_eager_cleaning_what_is_missing_is_made_again(cli: Cli) -> None:
    state, tiny = StateFolder(cli.home), cli.home.parent / "tiny"
    outputs = {
        fact["body"]["step"]: fact["body"]["output"]
        for fact in cli.facts("step.succeeded")
        if fact["body"]["step"] in ("data", "train", "package", "environment")
    }
    for digest in (outputs["data"]["tree"], outputs["train"]["model"], outputs["package"]["tree"]):
        (state.store / "files" / digest[:2] / digest).unlink()
    shutil.rmtree(state.environments)
    (tiny / "score.py").write_text((tiny / "score.py").read_text() + "\n# changed\n")
    said = cli("up", str(tiny)).stdout
    assert "dev: done" in said
    assert asked(cli) == 200


def test_a_version_whose_package_is_gone_is_not_rolled_back_to(cli: Cli) -> None:
    state = StateFolder(cli.home)
    first = cli.facts("release.completed")[0]["body"]["package"]["tree"]
    (state.store / "files" / first[:2] / first).unlink()
    done = cli("rollback", "tiny", "dev", "1", expect=1)
    assert "The package of tiny:1 has been cleaned away" in done.stderr
    assert cli.facts("rollback.requested") == []


def test_a_duration_that_is_none_is_refused(cli: Cli) -> None:
    done = cli("clean", "--older-than", "soon", expect=2)
    assert "found 'soon', expected a duration such as 30d" in done.stderr
