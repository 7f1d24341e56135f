"""Drives the real command line from outside, on a state folder of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "titanic-score-py"
STEPS = (
    *("data", "environment", "train", "package", "evaluate", "register"),
    *("dev", "functional", "stress", "approval", "prod"),
)


@dataclass(frozen=True)
class Cli:
    """The command line on one state folder."""

    home: Path

    def __call__(
        self, *words: str, expect: int = 0, timeout: float = 240.0
    ) -> subprocess.CompletedProcess[str]:
        done = self.run(*words, timeout=timeout)
        assert done.returncode == expect, f"{words}: exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        assert (
            "src/loopwright/" not in done.stdout + done.stderr
        )  # no traceback of ours; the user's own may be told
        return done

    def run(self, *words: str, timeout: float = 240.0) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*words),
            capture_output=True,
            text=True,
            env=self.environment(),
            timeout=timeout,
            check=False,
        )

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "loopwright.cli.main", *words]

    def environment(self) -> dict[str, str]:
        return os.environ | {"LOOPWRIGHT_HOME": str(self.home)}

    def json(self, *words: str) -> Any:
        return json.loads(self(*words, "--json").stdout)

    def facts(self, kind: str = "", limit: int = 10_000) -> list[dict[str, Any]]:
        """The ledger's facts, of one kind or all."""
        lines = self.here("history", "--limit", str(limit), "--json").stdout.splitlines()
        facts: list[dict[str, Any]] = [json.loads(line) for line in lines]
        return [fact for fact in facts if kind in ("", fact["kind"])]

    def serving(self, environment: str = "prod") -> dict[str, Any]:
        """What an environment serves."""
        found: dict[str, Any] = self.status()["workloads"][0]["environments"][environment]
        return found

    def status(self) -> dict[str, Any]:
        """What `status --json` says."""
        found: dict[str, Any] = self.here.json("status")
        return found

    @property
    def here(self) -> Here:
        """The same in this process: who looks many times need not start many."""
        return Here(self.home)


@dataclass(frozen=True)
class Here(Cli):
    """The command line in this process: for commands that only read, and are tried in many ways."""

    def run(self, *words: str, timeout: float = 240.0) -> subprocess.CompletedProcess[str]:
        del timeout
        from loopwright.cli import main

        with redirect_stdout(StringIO()) as said, redirect_stderr(StringIO()) as complained:
            status = main._run([*words, "--home", str(self.home)])
        return subprocess.CompletedProcess(words, status, said.getvalue(), complained.getvalue())


def copy_example(folder: Path) -> Path:
    """The example as a git repository of its own, as a user would have it; its workload is called `titanic` there."""
    shutil.copytree(EXAMPLE, folder)
    spec = folder / "loopwright.yaml"
    # What a stress test may take is a question of the machine; these tests share theirs with others.
    text = spec.read_text().replace("requests: 2000", "requests: 200").replace("p99: 1s", "p99: 20s")
    spec.write_text(text.replace("workload: titanic-score-py", "workload: titanic"))
    for words in (
        ["init", "-q"],
        ["add", "-A"],
        ["-c", "user.name=Ada", "-c", "user.email=ada@example.com", "commit", "-qm", "start"],
    ):
        subprocess.run(["git", "-C", str(folder), *words], check=True)
    return folder


@dataclass(frozen=True)
class Production:
    """The example in production, and what its first `up` said."""

    cli: Cli
    folder: Path
    said: str
