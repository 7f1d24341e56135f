"""How much time the loop itself takes: a code change to serving in dev, and five trivial tasks one after the other.

    python benchmarks/loop_overhead.py [--json FILE]

The code change is made to the example's score.py with everything warm, `up` is asked for, and the clock runs until dev
serves it. Beyond counting is the user's own time: the script's own start (imports and `init()`, which run once each to
package, to evaluate and to serve), measured in the same run by starting the same script's package by hand as often.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from report import Budget, main

sys.path.append(str(Path(__file__).parents[1] / "tests" / "support"))
from tiny_workload import make_tiny

from loopwright.engines.base import Job
from loopwright.engines.local.driver import LocalEngine
from loopwright.state import StateFolder

ROOT = Path(__file__).parents[1]
ROUNDS = 3
JOBS = 5
STARTS = 3  # the scoring script starts to package, to evaluate and to serve


def command(home: Path, *words: str) -> list[str]:
    """A whole `loopwright` command."""
    return [sys.executable, "-m", "loopwright.cli.main", *words, "--home", str(home), "--json"]


def lines(home: Path, folder: Path) -> list[tuple[float, dict[str, Any]]]:
    """Run `up` to its end: each line of news with the seconds since the start."""
    began = time.perf_counter()
    with subprocess.Popen(
        command(home, "up", str(folder), "--auto-approve"), stdout=subprocess.PIPE, text=True
    ) as up:
        assert up.stdout is not None
        news = [(time.perf_counter() - began, json.loads(line)) for line in up.stdout]
    if up.returncode:
        raise SystemExit(f"up failed: {news[-1] if news else ''}")
    return news


def until(name: str, news: list[tuple[float, dict[str, Any]]]) -> float:
    """Seconds until a step was done."""
    for seconds, line in news:
        if any(step["step"] == name and step["state"] == "done" for step in line.get("steps", [])):
            return seconds
    raise SystemExit(f"{name} was never done")


def start_of_script(home: Path) -> float:
    """Seconds that the user's script takes to import and `init()`, in its own environment, without us."""
    settings = json.loads(next((home / "revisions").glob("*/serving.json")).read_bytes())
    package = Path(settings["package"])
    program = f"import sys; sys.path.insert(0, {str(package / 'code')!r}); import score; score.init()"
    variables = os.environ | {"MODEL_DIR": str(package / "model")}
    began = time.perf_counter()
    subprocess.run([settings["python"], "-I", "-c", program], env=variables, check=True)
    return time.perf_counter() - began


def code_changes(home: Path, folder: Path) -> tuple[list[float], list[float]]:
    """Seconds from code change to serving in dev, and of the script's own start, alternating."""
    lines(home, folder)
    totals, starts = [], []
    for number in range(ROUNDS):
        with (folder / "score.py").open("a") as script:
            script.write(f"\n# change {number}\n")
        totals.append(until("dev", lines(home, folder)))
        starts.append(start_of_script(home))
    return totals, starts


def trivial_jobs(home: Path) -> list[float]:
    """Seconds of five trivial jobs, each submitted when the one before has ended."""
    engine = LocalEngine(StateFolder(home), keep_control_plane=False)
    times = []
    try:
        for attempt in range(ROUNDS + 1):
            began = time.perf_counter()
            for number in range(JOBS):
                job = f"trivial.{attempt}.{number}"
                folder = home / "jobs" / job
                folder.mkdir(parents=True)
                engine.submit(
                    Job(id=job, workload="trivial", step="task", command=("true",), directory=str(folder))
                )
                while engine.report().jobs[job].state in ("pending", "running"):
                    engine.wait(0.5)
            times.append(time.perf_counter() - began)
    finally:
        engine.stop()
    return times[1:]  # the first finds the agent still starting


def trivial_tasks(scratch: Path) -> list[float]:
    """Seconds of five trivial tasks of a pipeline, each after the one before, from the request to the last one's end.

    All else of the workload is done and found unchanged; `up` is the real command, on a warm control plane.
    """
    tasks = [
        f"    t{number}: {{command: 'true', environment: none, cache: false, needs: [{f't{number - 1}' if number else ''}]}}\n"
        for number in range(JOBS)
    ]
    folder = make_tiny(scratch / "tasks", more=f"pipeline:\n  tasks:\n{''.join(tasks)}")
    home, last, times = scratch / "tasks-home", f"t{JOBS - 1}", []
    try:
        lines(home, folder)
        for number in range(ROUNDS):
            (folder / "note.txt").write_text(f"change {number}")
            news = lines(home, folder)
            asked = next(seconds for seconds, line in news if line["event"] == "asked")
            times.append(until(last, news) - asked)
    finally:
        subprocess.run(command(home, "down"), check=True, stdout=subprocess.DEVNULL)
    return times


def measure() -> list[Budget]:
    """Both budgets of DESIGN's table that are about the loop."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(shutil.copytree(ROOT / "examples" / "titanic-score-py", Path(scratch) / "titanic"))
        spec = (
            folder / "loopwright.yaml"
        )  # what the stress test takes is another question, and no part of this one
        spec.write_text(
            "".join(line for line in spec.read_text().splitlines(keepends=True) if "stress:" not in line)
        )
        home = Path(scratch) / "home"
        try:
            totals, starts = code_changes(home, folder)
        finally:
            subprocess.run(command(home, "down"), check=True, stdout=subprocess.DEVNULL)
        own = [total - STARTS * start for total, start in zip(totals, starts, strict=True)]
        print(
            f"code change to dev: {statistics.median(totals):.2f} s in all, of which {STARTS} starts of the script at {statistics.median(starts):.2f} s"
        )
        jobs = trivial_jobs(Path(scratch) / "jobs-home")
        tasks = trivial_tasks(Path(scratch))
    return [
        Budget("code change to serving in dev", own, 5.0, "s"),
        Budget("five trivial jobs", jobs, 1.0, "s"),
        Budget("five trivial tasks of a pipeline", tasks, 1.0, "s"),
    ]


if __name__ == "__main__":
    main(measure)
