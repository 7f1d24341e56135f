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


class _Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base: frozen, and a field that nobody reads is an error."""


class Input(_Part, frozen=True, kw_only=True):
    """One column that the model takes, as the package's signature has it."""

    name: str
    type: InputType
    nullable: bool = False
    categories: tuple[str | int | float | bool, ...] | None = None  # known values; others are not errors


class Limits(_Part, frozen=True, kw_only=True):
    """What a replica takes on; times in seconds, sizes in bytes."""

    concurrency: Annotated[int, Meta(ge=1)] = 8
    queue: Annotated[int, Meta(ge=0)] = 64
    queue_wait: Annotated[float, Meta(ge=0)] = 2.0
    timeout: Annotated[float, Meta(gt=0)] = 5.0
    max_body: Annotated[int, Meta(ge=1)] = 10 * 1024 * 1024


class Settings(_Part, frozen=True, kw_only=True):
    """The whole of serving.json."""

    workload: str
    environment: str
    revision: str
    version: str | None = None  # such as titanic:3; none before registration
    package: str  # absolute path of the package folder
    entry: str  # the scoring script, relative to the package's code folder
    python: str  # absolute path of the user environment's interpreter
    workers: Annotated[int, Meta(ge=1)] = 1
    thread_safe: bool = False
    idempotent: bool = True  # a request may be begun again where its worker died
    inputs: tuple[Input, ...] | None = None  # none: bodies are passed on unread
    limits: Limits = Limits()
    threads: Annotated[int, Meta(ge=1)] = 1  # OMP_NUM_THREADS and its like for user code
    secrets: tuple[str, ...] = ()  # variables of its environment whose values no output may show
    grace_period: Annotated[float, Meta(gt=0)] = 10.0  # seconds from SIGTERM to the end

    @property
    def code(self) -> Path:
        return Path(self.package) / "code"

    @property
    def model(self) -> Path:
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
    entry = settings.code / settings.entry
    for what, absolute in (("package", settings.package), ("python", settings.python)):
        if not Path(absolute).is_absolute():
            raise UsageError(f"{path}: `{what}` is {absolute!r}, expected an absolute path.")
    if not entry.resolve().is_relative_to(settings.code.resolve()):
        raise UsageError(
            f"{path}: `entry` is {settings.entry!r}, expected a file inside the package's code folder."
        )
    if not entry.is_file():
        raise UsageError(f"{path}: the scoring script {entry} is not there; package the workload again.")
    names = [one.name for one in settings.inputs or ()]
    if len(set(names)) < len(names):
        raise UsageError(f"{path}: `inputs` names a column twice, expected each once: {', '.join(names)}.")
    if not os.access(settings.python, os.X_OK):
        raise MachineError(
            f"{path}: the interpreter {settings.python} is missing or cannot be run; make the environment again."
        )
