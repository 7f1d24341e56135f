"""The first files of a workload, drafted from a table and the name of its label: what `loopwright init` writes.

Why: the way from a CSV to an endpoint should not begin with an empty editor. What is drafted is a plain workload that the
user owns from then on: a spec, a schema, a training and a scoring script, tests. Nothing here is used when it runs.

What comes in: rows as they were read, the label, and what the user wants otherwise. What goes out: a `Draft`: files by
path, and in words what was decided and why; or a StepFailed that says why nothing can be learned from this table.
Nothing is written here.

The scripts are templates (`templates/`), filled in by `string.Template`; CI runs what comes out.

May import: datasets, spec, errors. Used by operations.
"""

from loopwright.starting.drafting import Draft, Wish, draft
from loopwright.starting.names import named_after

__all__ = ["Draft", "Wish", "draft", "named_after"]
