"""Judging a package before it may go further: held-out rows, functional cases, load; and the gates that decide.

Why it exists: whether a version is good enough must be decided by what its users would get, counted honestly, with a
reason for every verdict. So the held-out rows are answered by the package's own replica, cases and load go over real
HTTP to the deployed endpoint, and whatever cannot be computed or parsed counts against the version, never for it.

In: three jobs that the engine runs, `python -m loopwright.evaluation.X FOLDER` (see `loopwright.jobs`): `job` (a
package, its held-out rows, its gates, the champion), `functional_job` (an endpoint and cases), `stress_job` (an
endpoint and a load).
Out: each job's output.json, with `passed` and the reasons. Pure parts: `decide` (gates), `check` (cases), `reasons`
(a load's verdict), `measure` (metrics). `load.run` sends load for benchmarks and chaos tests as well.
May import: scoring (to write a replica's settings), observations, spec, jobs, state, errors. Nothing heavy is imported
before it is used.
"""

from loopwright.evaluation.cases import Response, check
from loopwright.evaluation.gates import Champion, Side, Verdict, decide
from loopwright.evaluation.load import Load, LoadResult, run
from loopwright.evaluation.metrics import Judged, Metrics, Question, measure
from loopwright.evaluation.stress import Thresholds, reasons

__all__ = [
    "Champion",
    "Judged",
    "Load",
    "LoadResult",
    "Metrics",
    "Question",
    "Response",
    "Side",
    "Thresholds",
    "Verdict",
    "check",
    "decide",
    "measure",
    "reasons",
    "run",
]
