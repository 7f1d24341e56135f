"""The stress test job: real load on a deployed endpoint, and the verdict by the spec's thresholds.

Run by the engine as `python -m loopwright.evaluation.stress_job FOLDER`. Load that does not pass is a result (`passed`
is false, with `reasons`), not a failure of this job. The bodies are held-out rows, sent in turn: a data file with its
signature (`data`, `columns`, at most `most_bodies` of its rows), or given as they are (`bodies`).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from loopwright import jobs
from loopwright.errors import StepFailed
from loopwright.evaluation import load, rows, stress

_LONGEST = 900.0  # seconds after which no request is begun: slower than that is an answer in itself


def work(given: jobs.Input, outputs: Path) -> jobs.Output:
    """Send the load of `given`; writes stress.json."""
    bodies = [json.dumps(body).encode() for body in _bodies(given)]
    if not bodies:
        raise StepFailed(
            "There is no row to send in the stress test, expected at least one held-out row; hold out more rows (data.NAME.split.test)."
        )
    headers = {"authorization": f"Bearer {given['key']}"} if given.get("key") else {}
    result = load.run(
        load.Load(
            url=given["url"],
            bodies=bodies,
            concurrency=given["concurrency"],
            requests=given["requests"],
            duration=given.get("duration") or _LONGEST,
            timeout=given["timeout"],
            headers=headers,
        )
    )
    fields = ("requests", "max_error_rate", "p50", "p99", "min_throughput")
    asked = stress.Thresholds(**{name: given[name] for name in fields if name in given})
    broken = stress.broken(result, asked)
    output = {
        "passed": not broken,
        "reasons": list(broken.values()),
        "broken": list(broken),
        **result.as_json(),
    }
    (outputs / "stress.json").write_text(json.dumps(output, indent=2, allow_nan=False) + "\n")
    return output


def _bodies(given: jobs.Input) -> list[Any]:
    if "bodies" in given:
        return list(given["bodies"])
    frame = rows.read(Path(given["data"]), given.get("missing_values")).head(given["most_bodies"])
    return list(rows.requests(frame, given["columns"]))


if __name__ == "__main__":
    jobs.main(work)
