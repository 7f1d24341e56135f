"""What every engine does, as values and one interface: jobs, replicas and routes.

The loop speaks only this; `local` (an agent on this machine) and, later, `kubernetes` implement it. All calls are
idempotent and return at once: what was asked is wanted, what `report()` says has happened.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Protocol

import msgspec

JobState = Literal["pending", "running", "succeeded", "failed"]
ReplicaState = Literal["starting", "ready", "not-ready", "draining", "dead"]


class Value(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=False):
    """Base of the engine's values: frozen, and written as JSON by msgspec."""


class Job(Value, frozen=True, kw_only=True):
    """A command that runs to its end. Its folder holds what it reads, writes and says (`log.txt`)."""

    id: str
    workload: str
    step: str
    command: tuple[str, ...]
    directory: str  # absolute; the job's own folder
    working_directory: str = ""  # absolute; the job's own folder where empty
    variables: dict[
        str, str
    ] = {}  # `secret:NAME` stands for a secret, which gets its value when the job starts
    max_duration: float | None = None  # seconds
    memory: int | None = None  # bytes, of all its processes together


class JobStatus(Value, frozen=True, kw_only=True):
    """How a job stands; `reason` says why it failed: exit, signal, max_duration, memory, cancelled, lost, start."""

    id: str
    state: JobState
    exit_code: int | None = None
    reason: str = ""
    started_at: float | None = None  # seconds since the epoch
    ended_at: float | None = None
    peak_memory: int | None = None  # bytes
    pid: int | None = None


class ReplicaSet(Value, frozen=True, kw_only=True):
    """The replicas of one revision in one environment, between `minimum` and `maximum`.

    With a `minimum` of 0 it begins with one, and goes to none when nobody has asked anything for `scale_to_zero_after`.
    The first request then brings one up, and is held until that is ready, for at most `start_timeout`.
    """

    name: str  # environment--workload--revision
    workload: str
    environment: str
    revision: str
    settings: str  # absolute path of its serving.json
    minimum: int
    maximum: int
    target_utilization: float  # 0..1 of ready replicas x concurrency
    scale_interval: float  # seconds between looks
    scale_up_delay: float = 0.0  # seconds that more must have been needed
    scale_down_delay: float = 60.0  # seconds that fewer must have been enough
    scale_to_zero_after: float = 300.0  # seconds without a request, where the minimum is 0
    concurrency: int
    queue: int = 64  # requests that may wait beyond that, in a replica and for the first replica
    max_body: int = 10 * 1024 * 1024  # bytes of a request's body that is held
    memory: int | None = None  # bytes; a replica beyond it is replaced
    variables: dict[str, str] = {}  # as a job's
    start_timeout: float = 120.0  # seconds from start to ready


class ReplicaStatus(Value, frozen=True, kw_only=True):
    """One running copy."""

    id: str
    state: ReplicaState
    pid: int | None = None
    socket: str = ""
    restarts: int = 0
    message: str = ""
    in_flight: int = 0


class ReplicaSetStatus(Value, frozen=True, kw_only=True):
    """How a set stands: `failing` says, in a sentence, why its replicas do not come up; empty where they do.

    One that wants none is scaled to zero; `held` is the number of requests that wait for its first replica.
    """

    name: str
    wanted: int
    ready: int
    replicas: tuple[ReplicaStatus, ...] = ()
    failing: str = ""
    setting: str = (
        ""  # the setting of `serving` that it fails for, such as resources.memory; empty for other reasons
    )
    held: int = 0


class Backend(Value, frozen=True, kw_only=True):
    """A replica set behind an endpoint, with its share of the requests."""

    replica_set: str
    weight: int = 100


class Route(Value, frozen=True, kw_only=True):
    """One endpoint: `/{environment}/{workload}/`, who may call what below it, and which replica sets answer."""

    environment: str
    workload: str
    backends: tuple[Backend, ...]
    keys: dict[str, str] = {}  # client name -> key; empty: open to all
    timeout: float  # seconds, of a whole request as the gateway sees it
    idempotent: bool = True
    capacity: int = 1  # replicas x (concurrency + queue): sizes retry and pending limits
    feedback_keys: dict[str, str] = {}  # as `keys`, for labels and events; empty: nobody may write them
    test_keys: dict[str, str] = {}  # with one of these a request to /score counts as a test, not as live
    grpc: bool = False  # its replicas answer gRPC too, each on a socket `.grpc` beside its own


class ServiceStatus(Value, frozen=True, kw_only=True):
    """A long-running part that the engine keeps for us (the tracking server, a gateway process)."""

    name: str
    state: Literal["starting", "ready", "dead"]
    pid: int | None = None
    message: str = ""


class EngineReport(Value, frozen=True, kw_only=True):
    """All that an engine reports at one moment."""

    jobs: dict[str, JobStatus] = {}
    replica_sets: dict[str, ReplicaSetStatus] = {}
    routes_accepted: str = ""  # digest of the route table that every gateway process serves
    routes_rejected: str = ""  # a sentence, where a gateway refused the newest table
    services: dict[str, ServiceStatus] = {}


class Machine(Value, frozen=True, kw_only=True):
    """What decides how far an engine can keep to a spec, as far as it runs on one machine."""

    cores: int
    memory: int  # bytes
    gpus: int = 0
    shared_memory: int = 0  # bytes of /dev/shm


class Capability(Value, frozen=True, kw_only=True):
    """How an engine keeps to one field of a spec: exactly, nearly so (then with what it uses instead), or not at all."""

    field: str  # dotted path, as in the spec
    verdict: Literal["exact", "approximate", "refused"]
    value: str = (
        ""  # approximate: what is used; refused: what is expected instead, as in "found X, expected VALUE"
    )
    sentence: str = ""  # approximate: how it is kept; refused: what to do


class Engine(Protocol):
    """Where jobs, replicas and routes run."""

    name: str

    def submit(self, job: Job) -> None:
        """Want a job to run once; a job id already known is left as it is."""

    def cancel(self, job_id: str) -> None:
        """Want a job ended, with all its processes."""

    def forget(self, job_id: str) -> None:
        """Drop an ended job from the reports; its folder stays."""

    def set_replicas(self, replica_set: ReplicaSet) -> None:
        """Want these replicas; a set of the same name is changed."""

    def remove_replicas(self, name: str) -> None:
        """Want a set drained and gone."""

    def probe(self, name: str, body: bytes, timeout: float) -> list[tuple[int, bytes]]:
        """Post a body to `/score` of every ready replica of a set, past the gateway: status and body of each answer."""

    def set_routes(self, routes: tuple[Route, ...]) -> str:
        """Want exactly these routes; returns the table's digest, to be compared with `routes_accepted`."""

    def routes_digest(self, routes: tuple[Route, ...]) -> str:
        """The digest that `set_routes` would return."""

    def ring(self) -> None:
        """End a `wait` early: something happened that the engine does not see."""

    def report(self) -> EngineReport:
        """How everything stands now."""

    def wait(self, timeout: float) -> None:
        """Return when the report may have changed, or after `timeout` seconds."""

    def endpoint(self, environment: str, workload: str) -> str:
        """The URL that clients post to."""

    def tracking_url(self) -> str:
        """The MLflow server's URL."""

    def job_log(self, job_id: str) -> Path:
        """The file with a job's output."""

    def replica_logs(self, name: str) -> list[Path]:
        """The files with the output of a set's replicas."""

    def stop(self) -> None:
        """Want all that this engine runs ended; returns when it is."""
