"""The steps of the loop, one file each: what a step depends on, how it starts, what its result means.

`plan` lists them for a workload, in order. A step's `inputs` is a pure function to a JSON value; its digest is the key
under which the step's result is kept, so equal inputs are never worked twice. Read by `loop.pipeline` and `loop.driver`.
"""

from loopwright.loop.steps.base import ApprovalStep, CallStep, Entering, JobStep, ReleaseStep, Step
from loopwright.loop.steps.plan import plan

__all__ = ["ApprovalStep", "CallStep", "Entering", "JobStep", "ReleaseStep", "Step", "plan"]
