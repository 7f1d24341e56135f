"""What the replica measures of itself: filled by the service and the workers, read by /metrics."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator

from loopwright.observations.recording import Recorder
from loopwright.scoring.logs import Log
from loopwright.scoring.metrics import Counter, Gauge, Histogram, Labels, Metric, render
from loopwright.scoring.settings import Settings


class Telemetry:
    """The series of one replica."""

    def __init__(self, settings: Settings, log: Log, front: int = 0) -> None:
        self._labels = {
            "workload": settings.workload,
            "environment": settings.environment,
            "revision": settings.revision,
        } | ({"front": str(front)} if settings.fronts > 1 else {})
        self._log = log
        self.requests = Counter(
            "loopwright_requests_total", "Scoring requests answered, by HTTP status.", "code"
        )
        self.request_seconds = Histogram(
            "loopwright_request_seconds", "Seconds from a scoring request's headers to its answer."
        )
        self.queue_wait_seconds = Histogram(
            "loopwright_queue_wait_seconds", "Seconds that a scoring request waited for a place."
        )
        self.batch_rows = Histogram(
            "loopwright_batch_rows",
            "Rows in one call of the model.",
            (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024),
        )
        self.worker_restarts = Counter(
            "loopwright_worker_restarts_total", "Worker processes that ended and were started again."
        )
        self.nonfinite = Counter(
            "loopwright_nonfinite_numbers_total", "Numbers in answers that JSON cannot hold, sent as null."
        )
        self.init_seconds = 0.0

    def count_nonfinite(self, numbers: int) -> None:
        """Count NaN and infinities that became null, if there are any; the first time, say so in the log."""
        if not numbers:
            return
        if not any(value for _, _, value in self.nonfinite.samples()):
            self._log.warning(
                "nonfinite-answer",
                message="The answer holds NaN or an infinity; clients get null. Logged once.",
            )
        self.nonfinite.add(amount=numbers)

    def render(
        self,
        queued: int,
        in_flight: int,
        pids: dict[str, int],
        recorder: Recorder | None = None,
        held_bytes: int = 0,
    ) -> bytes:
        """The text of /metrics."""
        metrics: tuple[Metric, ...] = (
            self.requests,
            self.request_seconds,
            _gauge("loopwright_queue_length", "Scoring requests that wait for a place.", queued),
            self.queue_wait_seconds,
            _gauge("loopwright_in_flight", "Scoring requests being worked on.", in_flight),
            _gauge("loopwright_held_bytes", "Bodies of requests that have no answer yet.", held_bytes),
            self.batch_rows,
            self.worker_restarts,
            _gauge(
                "loopwright_init_seconds",
                "Seconds that import and init() of the newest worker took.",
                self.init_seconds,
            ),
            self.nonfinite,
            *_observations(recorder),
            *_processes({"front": os.getpid(), **pids}),
        )
        return render(metrics, self._labels)


def _gauge(name: str, description: str, value: float) -> Gauge:
    return Gauge(name, description, lambda: [({}, value)])


def _observations(recorder: Recorder | None) -> Iterator[Gauge]:
    """What became of the record of requests."""
    if recorder is None:
        return
    yield Gauge(
        "loopwright_observations_written_total",
        "Requests and feedback events whose record is on the disk.",
        lambda: [({}, recorder.written)],
        "counter",
    )
    yield Gauge(
        "loopwright_observations_dropped_total",
        "Requests and feedback events whose record was lost, by reason.",
        lambda: [({"reason": reason}, count) for reason, count in sorted(recorder.losses.items())],
        "counter",
    )


def _processes(pids: dict[str, int]) -> Iterator[Gauge]:
    """Memory and CPU of the front and each worker, told apart by `process`."""
    import psutil  # only here: it is not on the path of a start

    def read(measure: Callable[[psutil.Process], float]) -> Iterable[tuple[Labels, float]]:
        for name, pid in pids.items():
            try:
                yield {"process": name}, measure(psutil.Process(pid))
            except psutil.NoSuchProcess:  # it ended just now
                continue

    def cpu(process: psutil.Process) -> float:
        times = process.cpu_times()
        return float(times.user + times.system)

    yield Gauge(
        "process_resident_memory_bytes",
        "Resident memory of the replica's processes.",
        lambda: read(lambda process: float(process.memory_info().rss)),
    )
    yield Gauge(
        "process_cpu_seconds_total", "CPU time of the replica's processes.", lambda: read(cpu), "counter"
    )
