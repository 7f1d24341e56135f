"""The part of a spec that says what a training job may use."""

from __future__ import annotations

from pydantic import Field

from loopwright.spec.declaration import Declaration
from loopwright.spec.units import Bytes, Cores, PositiveDuration


class Compute(Declaration):
    """What a training job may use."""

    nodes: int = Field(
        default=1,
        ge=1,
        le=1000,
        description="Nodes that train together. The command runs once on each, with the variables that torchrun sets: "
        "RANK, WORLD_SIZE, MASTER_ADDR, MASTER_PORT and the others. The engine `local` runs them as processes.",
    )
    cpu: Cores = Field(default=1.0, description="Cores of each node; sets the usual thread-count variables.")
    gpu: int = Field(
        default=0, ge=0, le=1000, description="GPUs of each node; sets CUDA_VISIBLE_DEVICES where given."
    )
    memory: Bytes | None = Field(
        default=None, description="Memory of each node; a job that uses more in all is ended."
    )
    shared_memory: Bytes | None = Field(
        default=None, description="Shared memory (/dev/shm) that there must be, for data loaders."
    )
    max_duration: PositiveDuration = Field(default=3600.0, description="A job that takes longer is ended.")
