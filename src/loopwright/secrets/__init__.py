"""Secrets: values that user code gets and that are written down nowhere else.

Why: a token in a spec, a log or a ledger is there for good. Here a secret is a name (`secret:NAME`) everywhere, and its
value is looked up at the moment when a job or a replica starts.
What comes in: values that people set, environment variables, files. What goes out: the values of a job's variables
(`providers`), a keyed digest that tells a changed secret without telling its value (`vault`), and output in which no
value is left (`masking`).
May import: state, errors. Nothing is imported here, since the replica wants `masking` alone, and the spec `references`.
"""
