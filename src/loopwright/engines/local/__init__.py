"""The engine of this machine: processes, Unix sockets and files; nothing else has to be installed or to run.

Why two parts: what serves must go on while the control plane is dead, and be found again when its keeper was killed.
`driver` (in the control plane) writes desired.json and reads observed.json; `agent`, one small detached process for each
state folder, makes the one true and writes the other. They wake each other by a `doorbell`.

    agent            the loop over these, and the stop of everything
    job_keeper       jobs: a `job_shim` for each, which outlives the agent; who decides what is settled by `job_files`
    replica_sets     replica sets, each a `replica_set` of `replica`s; `replica_plan` and `scaling` decide, purely
    activator        holds requests for a set that is scaled to zero, until a replica is ready; `activator_keeper` runs two
    gateway_keeper   the Envoys (`gateway` and its files)
    tracking_server  MLflow
    control_plane    the control plane, started again where it died
    processes        processes known again by pid and start time, and ended with all that they started

What comes in: the values of engines.base. What goes out: EngineReport. May import: engines.base, routing, state, log, errors.
"""

__all__: list[str] = []
