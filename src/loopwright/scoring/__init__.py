"""The replica: one process that answers requests with a packaged model, and the workers that run user code for it.

Why it exists: user code is slow to start, may hang, crash or pin anything, and must do none of that to health checks,
limits and metrics. So a front in our environment takes the requests (`app`, `body`), checks and bounds them (`service`,
`validation`, `admission`), and has them scored by a `Scorer`; for a scoring script that is a `WorkerPool`, whose worker
processes run `worker_shim.py` under the user's own interpreter and lock.

In: `python -m loopwright.scoring --settings serving.json --socket PATH` (`settings.Settings`), and HTTP on that socket.
Out: answers, /healthz, /readyz, /metrics, /stats, JSON log lines on stderr, and an exit status (0 stopped, 1 cannot
serve, 3 the scoring script did not come up).
May import: observations and errors; never the spec. Other rooms import `settings` from here to write serving.json, and
jobs of packaging and evaluation `child`, which runs a package's own replica for them.
"""

from loopwright.scoring.settings import (
    Batching,
    Flavor,
    Input,
    InputType,
    Limits,
    ModelFile,
    Observing,
    Output,
    Settings,
    load,
)

__all__ = [
    "Batching",
    "Flavor",
    "Input",
    "InputType",
    "Limits",
    "ModelFile",
    "Observing",
    "Output",
    "Settings",
    "load",
]
