"""What a training job is: its command, its parameters, and the environment that user code runs in.

What comes in: the spec's command and the folders that stand for its placeholders. What goes out: an argument list, the
parameters to record, and (as a job of its own, `environment_job`) a Python environment built from a resolved lock.
May import: spec, state, jobs, errors. Used by `loop`.
"""

from loopwright.training.command import parameters, render
from loopwright.training.variables import environment_folder, threads, user_environment

__all__ = ["environment_folder", "parameters", "render", "threads", "user_environment"]
