"""How a model answers: replicas, limits, resources, and who may ask. An environment may have other values for most of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from pydantic import Field, model_validator

from loopwright.spec.complaints import Complaint, refusal
from loopwright.spec.declaration import Declaration, Items
from loopwright.spec.front import Batching, Observations
from loopwright.spec.replicas import Replicas
from loopwright.spec.texts import GlobPattern, Origin, OutputPath, RelativePath
from loopwright.spec.units import Bytes, Cores, Duration, PositiveDuration, show_bytes

Flavor = Literal["sklearn", "xgboost", "lightgbm", "mlflow", "onnx"]


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
    bodies: Bytes = Field(
        default=256 * 1024 * 1024,
        description="All request bodies that a replica holds at once, read or being read, until they are answered; more get "
        "503. Never less than `max_body`.",
    )

    @model_validator(mode="after")
    def _one_body_fits(self) -> Limits:
        if "bodies" in self.model_fields_set and self.bodies < self.max_body:
            expected = f"at least `max_body`, which is {show_bytes(self.max_body)}"
            hint = "Let the largest body fit, or make `max_body` smaller."
            raise refusal([Complaint("bodies", f"`{show_bytes(self.bodies)}`", expected, hint)])
        return self


class Resources(Declaration):
    """What one replica may use."""

    cpu: Cores = Field(default=1.0, description="Cores; sets the usual thread-count variables of user code.")
    memory: Bytes | None = Field(default=None, description="A replica that uses more is replaced.")


class Serving(Declaration):
    """How the model answers."""

    entry: RelativePath | None = Field(
        default=None,
        description="The scoring script: `init()` is called once, `run(data)` for each request. Either this or `model`.",
    )
    model: OutputPath | None = Field(
        default=None,
        description="The model that answers without a script: a file or folder that training writes, as its path inside "
        "`{outputs}`. Either this or `entry`.",
    )
    flavor: Flavor | None = Field(
        default=None, description="What wrote the model; found from the file where not given."
    )
    files: Items[GlobPattern] | None = Field(
        default=None,
        description="Patterns of the files packaged with the script or model; where not given, the Python modules "
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
    batching: Batching | None = Field(
        default=None,
        description="How rows of several requests are joined into one call of a model, or of a script's `run_batch`; with the "
        "defaults where not given.",
    )
    fronts: int = Field(
        default=1,
        ge=1,
        le=64,
        description="Processes in each replica that take requests, check them, and run what is compiled.",
    )
    grpc: bool = Field(
        default=False,
        description="Whether replicas answer the Open Inference Protocol over gRPC as well; clients reach it on the "
        "gateway's port.",
    )
    cors: Items[Origin] = Field(
        default=(), description="Origins of web pages that may ask from a browser; none where not given."
    )
    observations: Observations = Field(default=Observations(), description="What is kept of requests.")
    replicas: Replicas = Field(default=Replicas(), description="How many copies.")
    limits: Limits = Field(default=Limits(), description="What each takes on.")
    resources: Resources = Field(default=Resources(), description="What each may use.")
    auth: Literal["key", "none"] = Field(
        default="key", description="`key`: clients send `Authorization: Bearer KEY`; `none`: open to all."
    )

    @property
    def place(self) -> str:
        """Where a spec says what answers, for messages: `serving.entry` or `serving.model`."""
        return "serving.entry" if self.model is None else "serving.model"

    @model_validator(mode="after")
    def _one_thing_answers(self) -> Serving:
        complaints = [*self._misfits()]
        if complaints:
            raise refusal(complaints)
        return self

    def _misfits(self) -> Iterator[Complaint]:
        if self.entry is None and self.model is None:
            yield Complaint("", "neither `entry` nor `model`", "one of the two", NEITHER)
        if self.entry is not None and self.model is not None:
            hint = "Take `entry` out where the model answers by itself, `model` where the script loads it."
            yield Complaint("model", "`model` beside `entry`", "one of the two", hint)
        elif self.model is None and self.flavor is not None:
            yield Complaint("flavor", "a flavor without `model`", "`flavor` beside `model` alone")
        elif self.model is not None and not self.validate_inputs:
            hint = "Only a script can read what is no row of the data. Leave it out."
            yield Complaint("validate_inputs", "`false` beside `model`", "`true`", hint)
        elif self.model is not None and self.batching is not None and self.batching.form is not None:
            yield Complaint(
                "batching.form", "a form beside `model`", "none", "It is what a script's `run_batch` takes."
            )


NEITHER = (
    "Name the scoring script (`entry: score.py`), or the file that training writes (`model: model.joblib`)."
)
