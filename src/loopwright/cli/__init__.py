"""The command line: parses, calls operations or the control plane, presents. No logic.

`main` is what the console script runs. Nothing heavy is imported before the command that needs it: `--version` and
`validate` have time budgets. May import operations and all rooms below.
"""
