"""The drivers of Loopwright's controllers: from facts and an engine's report to the next actions, again and again.

What comes in: facts of the ledger (what was asked, what has happened), the engine's report (what runs), the time.
What goes out: actions performed on the engine, the store and the tracking server, and a fact for each outcome.

`pipeline` is the controller: a pure function that says where every step of a change stands and what to do next.
`driver` performs that, idempotently, and appends the outcome. Nothing is kept in between: killed anywhere and started
again, the next tick computes the same answer. `steps` holds one file per step: what it depends on, how it starts, what
its result means.

May import: engines, the rooms of single activities (training, packaging, ...), catalog, ledger, spec, state, errors.
"""
