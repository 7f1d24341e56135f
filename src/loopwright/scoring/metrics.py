"""What /metrics says, in Prometheus' text format (version 0.0.4); the service feeds it.

Ours and not a client library's: the replica has a dozen series, and they are on the path of every request.
Format: https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Protocol

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)

Labels = Mapping[str, str]
Sample = tuple[str, Labels, float]  # suffix of the name, labels, value


class Metric(Protocol):
    """A family of series."""

    name: str
    kind: str
    help: str

    def samples(self) -> Iterable[Sample]:
        """Its values now."""
        ...


class Counter:
    """How often something happened, by the values of one label, or in all."""

    kind = "counter"

    def __init__(self, name: str, description: str, label: str | None = None) -> None:
        self.name = name
        self.help = description
        self._label = label
        self._counts: dict[str, float] = {} if label else {"": 0.0}

    def add(self, value: str = "", amount: float = 1) -> None:
        """Count `amount` more, for the label's value."""
        self._counts[value] = self._counts.get(value, 0.0) + amount

    def samples(self) -> Iterator[Sample]:
        for value, count in sorted(self._counts.items()):
            yield "", {self._label: value} if self._label else {}, count


class Histogram:
    """How long something took, in seconds."""

    kind = "histogram"

    def __init__(self, name: str, description: str, bounds: tuple[float, ...] = SECONDS) -> None:
        self.name = name
        self.help = description
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self._sum = 0.0

    def observe(self, value: float) -> None:
        """Count one measurement."""
        self._counts[bisect_left(self._bounds, value)] += 1
        self._sum += value

    def samples(self) -> Iterator[Sample]:
        running = 0
        for bound, count in zip((*self._bounds, float("inf")), self._counts, strict=True):
            running += count
            yield "_bucket", {"le": _number(bound)}, running
        yield "_sum", {}, self._sum
        yield "_count", {}, running


class Gauge:
    """Something that is asked for when it is wanted."""

    kind = "gauge"

    def __init__(
        self,
        name: str,
        description: str,
        read: Callable[[], Iterable[tuple[Labels, float]]],
        kind: str = "gauge",
    ) -> None:
        self.name = name
        self.help = description
        self.kind = kind
        self._read = read

    def samples(self) -> Iterator[Sample]:
        for labels, value in self._read():
            yield "", labels, value


def render(metrics: Iterable[Metric], labels: Labels) -> bytes:
    """All series as text, each with the common `labels` before its own."""
    lines: list[str] = []
    for metric in metrics:
        lines.append(f"# HELP {metric.name} {_escape(metric.help, quote=False)}")
        lines.append(f"# TYPE {metric.name} {metric.kind}")
        for suffix, own, value in metric.samples():
            pairs = ",".join(f'{name}="{_escape(text)}"' for name, text in (*labels.items(), *own.items()))
            lines.append(f"{metric.name}{suffix}{{{pairs}}} {_number(value)}")
    return ("\n".join(lines) + "\n").encode()


def _escape(text: str, quote: bool = True) -> str:
    escaped = text.replace("\\", "\\\\").replace("\n", "\\n")
    return escaped.replace('"', '\\"') if quote else escaped


def _number(value: float) -> str:
    if value == float("inf"):
        return "+Inf"
    return str(int(value)) if float(value).is_integer() and abs(value) < 1e15 else repr(float(value))
