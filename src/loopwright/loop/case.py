"""What a step is given to decide and to act."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from loopwright.catalog import Store, Tracking
from loopwright.engines.base import Engine
from loopwright.ledger import Fact
from loopwright.loop.book import Book
from loopwright.loop.change import Change
from loopwright.loop.view import View
from loopwright.spec.models import Data, Workload
from loopwright.state import StateFolder
from loopwright.training import environment_folder

Output = Mapping[str, Any]


@dataclass(frozen=True)
class Case:
    """One change, with what its finished steps have given so far. Values only."""

    spec: Workload
    change: Change
    view: View
    outputs: dict[str, Output] = field(default_factory=dict)  # by step name
    transfer: Fact | None = None  # what asked for it, where it brings about a release on record
    revisions: Mapping[str, str] = field(default_factory=dict)  # those on record, by environment
    # The engine's URL of an environment's endpoint of a workload now; None where no engine is asked.
    endpoint: Callable[[str, str], str] | None = None

    @property
    def data_name(self) -> str:
        return next(iter(self.spec.data))

    @property
    def data(self) -> Data:
        return self.spec.data[self.data_name]

    @property
    def first_environment(self) -> str:
        return next(iter(self.spec.environments))

    @property
    def last_environment(self) -> str:
        return list(self.spec.environments)[-1]


@dataclass(frozen=True)
class Kept:
    """What a state folder holds of earlier results. It may lie elsewhere than when they were recorded."""

    state: StateFolder
    store: Store

    def has_python(self, environment: str) -> bool:
        """Whether the Python environment that is named by its lock's digest is there, and whole."""
        return (environment_folder(self.state.environments, environment) / "complete").exists()


@dataclass(frozen=True)
class Services:
    """What steps act upon."""

    state: StateFolder
    store: Store
    tracking: Tracking
    engine: Engine
    book: Book
    clock: Callable[[], float] = time.time  # dates facts

    def job_folder(self, job_id: str) -> Path:
        """A job's folder, made when asked for."""
        folder = self.state.jobs / job_id
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return folder

    def python(self, environment: str) -> Path:
        """The interpreter of the Python environment that is named by its lock's digest, wherever the state folder is now."""
        return environment_folder(self.state.environments, environment) / "bin" / "python"

    @property
    def kept(self) -> Kept:
        return Kept(self.state, self.store)
