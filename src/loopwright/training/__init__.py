"""What a training job is: its command, its parameters, and the environment that user code runs in.

What comes in: the spec's command and the folders that stand for its placeholders; the file that says what is needed.
What goes out: an argument list, the parameters to record, the lines that are asked for, the text of a lock, and (as a job
of its own, `environment_job`) a Python environment built from a lock.
May import: spec, state, locks, jobs, pins, errors. Used by `loop` and `operations`.
"""

from loopwright.training.alone import drop_locks
from loopwright.training.command import parameters, render
from loopwright.training.nodes import on_nodes
from loopwright.training.variables import environment_folder, threads, user_environment, visible_devices

__all__ = [
    "drop_locks",
    "environment_folder",
    "on_nodes",
    "parameters",
    "render",
    "threads",
    "user_environment",
    "visible_devices",
]
