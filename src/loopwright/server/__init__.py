"""The control plane's process: its HTTP API over a Unix socket that only its owner may open.

What comes in: requests of the CLI. What goes out: what `operations` answers, as JSON; errors of `loopwright.errors`
mapped once, in `app`. No logic. Run as `python -m loopwright.server --home DIR`. May import all rooms below.
"""
