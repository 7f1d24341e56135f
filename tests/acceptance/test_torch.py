"""The example of distributed training: two processes of PyTorch learn one network, which then answers in dev.

The first time builds an environment with PyTorch, which takes a minute or two; uv keeps the wheel for later.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from driving import ROOT, Cli

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(900)]
CPU_ALONE = "--extra-index-url https://download.pytorch.org/whl/cpu\n"


@pytest.fixture(scope="module")
def cli(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cli]:
    cli = Cli(tmp_path_factory.mktemp("home"))
    yield cli
    cli("down")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The example, for dev alone and without its stress test, with PyTorch for CPUs wherever that is found here."""
    folder = tmp_path_factory.mktemp("work") / "digits"
    shutil.copytree(ROOT / "examples" / "digits", folder)
    spec = folder / "loopwright.yaml"
    kept = [line for line in spec.read_text().splitlines() if "stress:" not in line and "  prod:" not in line]
    spec.write_text(
        "\n".join(kept).replace("--epochs 20", "--epochs 8").replace("min: 2, max: 2", "min: 1, max: 1")
    )
    wheels = os.environ.get("UV_FIND_LINKS") or os.environ.get("PIP_FIND_LINKS")
    with pytest.MonkeyPatch.context() as patched:
        if wheels:  # a folder of wheels that pip knows is uv's as well
            patched.setenv("UV_FIND_LINKS", wheels)
        else:
            requirements = folder / "requirements.txt"
            requirements.write_text(CPU_ALONE + requirements.read_text())
        yield folder


def test_two_processes_learn_one_network_that_answers(cli: Cli, folder: Path) -> None:
    cli("up", str(folder), timeout=800)
    log = cli("logs", "digits", "train").stdout
    assert "[0] epoch 5: loss" in log
    assert "[1] epoch 5: loss" in log
    serving = cli.serving("dev")
    key = {"authorization": f"Bearer {serving['key']}"}
    answer = httpx.post(serving["url"], json=serving["example"], headers=key, timeout=30).json()
    assert answer["prediction"] in range(10)
    evaluated = cli.facts("step.succeeded")
    assert (
        next(f for f in evaluated if f["body"]["step"] == "evaluate")["body"]["output"]["metrics"]["accuracy"]
        > 0.9
    )


def test_a_node_that_fails_fails_the_step_and_says_which(cli: Cli, folder: Path) -> None:
    script = folder / "train.py"
    script.write_text(
        script.read_text().replace("    torch.manual_seed(0)\n", "    assert rank == 0, 'lame'\n")
    )
    said = cli("up", str(folder), expect=1).stderr
    assert "stopped at train" in said
    assert "AssertionError: lame" in said
    assert "Rank 1 ended with exit status 1; the others are ended with it." in said
