"""What a replica is told: one JSON file, read once at its start and never again.

Packaging, evaluation and releases write it with these types; the replica reads it with `load`.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from loopwright.errors import MachineError, UsageError

InputType = Literal["integer", "number", "string", "boolean"]
OutputType = Literal["integer", "number", "string", "boolean", "object"]
Flavor = Literal["sklearn", "xgboost", "lightgbm", "mlflow", "onnx"]
Form = Literal["", "dataframe", "numpy", "records", "arrow"]


class _Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base: frozen, and a field that nobody reads is an error."""


class Input(_Part, frozen=True, kw_only=True):
    """One column that the model takes, as the package's signature has it."""

    name: str
    type: InputType
    nullable: bool = False
    categories: tuple[str | int | float | bool, ...] | None = None  # known values; others are not errors


class Output(_Part, frozen=True, kw_only=True):
    """One value of a row's answer, where a model is served without a script."""

    name: str
    type: OutputType


class ModelFile(_Part, frozen=True, kw_only=True):
    """A model that is served as it is, without a script."""

    path: str  # relative to the package's model folder
    flavor: Flavor


class Batching(_Part, frozen=True, kw_only=True):
    """How rows of several requests are joined into one call."""

    rows: Annotated[int, Meta(ge=1)] = 64  # in one call, at most; a request with more is a call of its own
    wait: Annotated[float, Meta(ge=0)] = 0.0  # seconds that a row waits for company, at most
    form: Form = ""  # what the script's run_batch() takes; empty: what it asks for


class Observing(_Part, frozen=True, kw_only=True):
    """What is kept of requests; times in seconds, sizes in bytes."""

    folder: str  # absolute; the replica makes one of its own inside
    rate: Annotated[float, Meta(ge=0, le=1)] = 1.0  # share of the requests that is kept row by row
    exclude: tuple[str, ...] = ()  # inputs that are never kept
    extra: tuple[str, ...] = ()  # further fields of a request's rows that are kept
    segment_bytes: Annotated[int, Meta(ge=4096)] = 16 * 1024 * 1024
    keep: Annotated[float, Meta(gt=0)] = 30 * 86400.0
    max_bytes: Annotated[int, Meta(ge=4096)] = 1024 * 1024 * 1024  # of all segments of the workload there
    prediction: str = "prediction"  # where a script's answer has them, as in evaluation
    probability: str | None = None


class Limits(_Part, frozen=True, kw_only=True):
    """What a replica takes on; times in seconds, sizes in bytes."""

    concurrency: Annotated[int, Meta(ge=1)] = 8
    queue: Annotated[int, Meta(ge=0)] = 64
    queue_wait: Annotated[float, Meta(ge=0)] = 2.0
    timeout: Annotated[float, Meta(gt=0)] = 5.0
    max_body: Annotated[int, Meta(ge=1)] = 10 * 1024 * 1024
    bodies: Annotated[int, Meta(ge=1)] = (
        256 * 1024 * 1024
    )  # of all requests that have no answer yet; at least max_body


class Settings(_Part, frozen=True, kw_only=True):
    """The whole of serving.json."""

    workload: str
    environment: str
    revision: str
    version: str | None = None  # such as titanic:3; none before registration
    package: str  # absolute path of the package folder
    entry: str = ""  # the scoring script, relative to the package's code folder
    model: ModelFile | None = None  # in place of a script
    compiled: bool = False  # the package has a compiled form of the model, which the front runs itself
    python: str = ""  # absolute path of the user environment's interpreter; not needed for what is compiled
    workers: Annotated[int, Meta(ge=1)] = 1
    thread_safe: bool = False
    idempotent: bool = True  # a request may be begun again where its worker died
    inputs: tuple[Input, ...] | None = None  # none: bodies are passed on unread
    outputs: tuple[Output, ...] | None = None  # of a model; a script's answers are its own
    limits: Limits = Limits()
    batching: Batching | None = None  # of run_batch(); a model is always asked in batches
    observations: Observing | None = None
    grpc: bool = False  # the Open Inference Protocol over gRPC too, on a socket of its own
    cors: tuple[str, ...] = ()  # origins whose pages may ask
    fronts: Annotated[int, Meta(ge=1)] = 1  # processes that take requests
    threads: Annotated[int, Meta(ge=1)] = 1  # OMP_NUM_THREADS and its like for user code
    secrets: tuple[str, ...] = ()  # variables of its environment whose values no output may show
    grace_period: Annotated[float, Meta(gt=0)] = 10.0  # seconds from SIGTERM to the end

    @property
    def code(self) -> Path:
        return Path(self.package) / "code"

    @property
    def model_folder(self) -> Path:
        return Path(self.package) / "model"


def load(path: Path) -> Settings:
    """Read serving.json and check that what it names is there; raises UsageError or MachineError."""
    try:
        settings = msgspec.json.decode(path.read_bytes(), type=Settings)
    except OSError as error:
        raise UsageError(
            f"The settings file {path} cannot be read: {error.strerror}. Name one with --settings."
        ) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"The settings file {path} is not what a replica takes: {error}.") from error
    _check(settings, path)
    return settings


def secret_values(settings: Settings) -> list[str]:
    """The values that no output may show."""
    return [value for name in settings.secrets if (value := os.environ.get(name))]


def _check(settings: Settings, path: Path) -> None:
    if bool(settings.entry) == (settings.model is not None):
        raise UsageError(f"{path}: expected one of `entry` and `model`, to say what answers.")
    if not Path(settings.package).is_absolute():
        raise UsageError(f"{path}: `package` is {settings.package!r}, expected an absolute path.")
    if not settings.compiled:
        _check_interpreter(settings, path)
    if settings.entry:
        _check_entry(settings, path)
    elif settings.inputs is None or settings.outputs is None:
        raise UsageError(f"{path}: a model without a script needs `inputs` and `outputs`.")
    names = [one.name for one in settings.inputs or ()]
    if len(set(names)) < len(names):
        raise UsageError(f"{path}: `inputs` names a column twice, expected each once: {', '.join(names)}.")


def _check_entry(settings: Settings, path: Path) -> None:
    entry = settings.code / settings.entry
    if not entry.resolve().is_relative_to(settings.code.resolve()):
        raise UsageError(
            f"{path}: `entry` is {settings.entry!r}, expected a file inside the package's code folder."
        )
    if not entry.is_file():
        raise UsageError(f"{path}: the scoring script {entry} is not there; package the workload again.")


def _check_interpreter(settings: Settings, path: Path) -> None:
    if not Path(settings.python).is_absolute():
        raise UsageError(f"{path}: `python` is {settings.python!r}, expected an absolute path.")
    if not os.access(settings.python, os.X_OK):
        raise MachineError(
            f"{path}: the interpreter {settings.python} is missing or cannot be run; make the environment again."
        )
