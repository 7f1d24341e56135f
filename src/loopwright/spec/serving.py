"""How a model answers: replicas, limits, resources, and who may ask. An environment may have other values for most of it."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from loopwright.spec.declaration import Declaration, Items
from loopwright.spec.replicas import Replicas
from loopwright.spec.texts import GlobPattern, RelativePath
from loopwright.spec.units import Bytes, Cores, Duration, PositiveDuration


class Limits(Declaration):
    """What a replica takes on."""

    concurrency: int = Field(
        default=8, ge=1, le=10_000, description="Requests that a replica works on at once."
    )
    queue: int = Field(
        default=64, ge=0, le=1_000_000, description="Requests that may wait beyond that; more get 503."
    )
    queue_wait: Duration = Field(default=2.0, description="Longest wait in the queue; then 503.")
    timeout: PositiveDuration = Field(
        default=5.0, description="Longest time for an answer once the work has begun; then 504."
    )
    max_body: Bytes = Field(default=10 * 1024 * 1024, description="Largest request body; more get 413.")


class Resources(Declaration):
    """What one replica may use."""

    cpu: Cores = Field(default=1.0, description="Cores; sets the usual thread-count variables of user code.")
    memory: Bytes | None = Field(default=None, description="A replica that uses more is replaced.")


class Serving(Declaration):
    """How the model answers."""

    entry: RelativePath = Field(
        description="The scoring script: `init()` is called once, `run(data)` for each request."
    )
    files: Items[GlobPattern] | None = Field(
        default=None,
        description="Patterns of the files packaged with it; where not given, the Python modules "
        "that the training command does not name.",
    )
    workers: int = Field(
        default=1, ge=1, le=256, description="Worker processes of user code in each replica."
    )
    thread_safe: bool = Field(
        default=False, description="Whether `run` may be called from several threads at once."
    )
    validate_inputs: bool = Field(
        default=True,
        description="Refuse a JSON row that lacks a column or has a wrong type, with 422, before user code.",
    )
    idempotent: bool = Field(
        default=True,
        description="Whether a request may be begun again where the replica or worker that had it dies.",
    )
    replicas: Replicas = Field(default=Replicas(), description="How many copies.")
    limits: Limits = Field(default=Limits(), description="What each takes on.")
    resources: Resources = Field(default=Resources(), description="What each may use.")
    auth: Literal["key", "none"] = Field(
        default="key", description="`key`: clients send `Authorization: Bearer KEY`; `none`: open to all."
    )
