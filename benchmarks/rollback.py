"""How long a rollback takes while its replicas are warm, and whether a request fails meanwhile, under constant load.

    python benchmarks/rollback.py [--json FILE]

A tiny workload of two versions that answer differently, two replicas each, in an environment that keeps what it replaced
warm. A client asks at a constant rate, whatever the answers; each round rolls back once and releases the newer version
again. Measured from the moment when a person asks (the command's start) until the first request that was begun later
than the newest one that the newer version has answered: from then on all answers come from the old one.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from report import Budget, main

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests" / "support"))

from open_loop import Asked, OpenLoop  # noqa: E402
from tiny_workload import make_tiny  # noqa: E402

COMMAND = str(Path(sys.executable).with_name("loopwright"))
ROUNDS = 5
RATE = 100  # requests a second
NEW, OLD = 1, 0  # what each version answers


def run(home: str, *words: str) -> str:
    """A command that must end well; its output."""
    done = subprocess.run(
        [COMMAND, *words],
        env=os.environ | {"LOOPWRIGHT_HOME": home},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{words}: {done.stdout}\n{done.stderr}"
    return done.stdout


def prepared(home: str, folder: Path) -> dict[str, Any]:
    """Two versions released, the newer one serving; the endpoint."""
    make_tiny(folder, environments="{prod: {serving: {replicas: {min: 2, max: 2}}}}")
    run(home, "up", str(folder))
    script, spec = folder / "train.py", folder / "loopwright.yaml"
    script.write_text(
        script.read_text().replace("(sum(ones) / len(ones) + sum(zeros) / len(zeros)) / 2", "-1")
    )
    spec.write_text(spec.read_text().replace("min: 0.5", "min: 0.1"))
    run(home, "up", str(folder))
    serving: dict[str, Any] = json.loads(run(home, "status", "--json"))["workloads"][0]["environments"][
        "prod"
    ]
    return serving


def rolled_back(home: str, endpoint: dict[str, Any], file: Path) -> tuple[float, list[Asked]]:
    """Seconds until the old version alone answers, and the requests that failed."""
    with OpenLoop(endpoint["url"], endpoint["key"], {"x": 0.1}, RATE, file) as load:
        time.sleep(1.0)  # of load before it
        asked_at = time.time()
        run(home, "rollback", "prod")
        time.sleep(1.0)  # and after it
    failed = [one for one in load.asked if one.status != 200]
    newer = [
        one.begun for one in load.asked if one.status == 200 and json.loads(one.said)["prediction"] == NEW
    ]
    after = [one.begun for one in load.asked if one.begun > max(newer)]
    assert newer
    assert after, "no request was answered by the old version"
    return min(after) - asked_at, failed


def measure() -> list[Budget]:
    """Rounds of rolling back, each followed by releasing the newer version again."""
    times, failures = [], []
    with tempfile.TemporaryDirectory() as folder:
        home, work = f"{folder}/home", Path(folder) / "tiny"
        try:
            endpoint = prepared(home, work)
            for number in range(ROUNDS):
                took, failed = rolled_back(home, endpoint, Path(folder) / f"asked-{number}")
                times.append(took)
                failures.append(float(len(failed)))
                run(home, "up", str(work), "--again")
        finally:
            run(home, "down")
    return [
        Budget("rollback, warm", times, 2.0, "s"),
        Budget("requests failed by a rollback", [max(failures)], 0.0),
    ]


if __name__ == "__main__":
    main(measure)
