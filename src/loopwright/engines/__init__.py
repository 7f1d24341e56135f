"""Where jobs, replicas and routes run: one interface, an engine for each kind of place.

Why: the loop decides and must not care whether a job is a process here or a pod elsewhere. What comes in: what is wanted
(jobs, replica sets, routes), by idempotent calls that return at once. What goes out: a report of how all of it stands.

`base` is the interface and its values; `local` the engine of this machine. Import from those: this package itself imports
nothing, since the shim of every job passes through it and is to start in milliseconds. Each engine passes the
conformance suite in tests/conformance.

May import: routing, spec, jobs, state, log, errors.
"""

__all__: list[str] = []
