"""The verdict on a load: pure, with a reason for everything that does not hold."""

from __future__ import annotations

from dataclasses import dataclass

from loopwright.evaluation.load import LoadResult


@dataclass(frozen=True)
class Thresholds:
    """What a load must meet; None asks nothing. Latencies in seconds, throughput in successes a second."""

    requests: int
    max_error_rate: float = 0.0
    p50: float | None = None
    p99: float | None = None
    min_throughput: float | None = None


def reasons(result: LoadResult, asked: Thresholds) -> list[str]:
    """Why the load does not pass; empty where it does."""
    return list(broken(result, asked).values())


def broken(result: LoadResult, asked: Thresholds) -> dict[str, str]:
    """Each threshold, by its name in the spec, that the load does not meet, with the reason."""
    found = {}
    if result.requests < asked.requests:
        found["requests"] = (
            f"only {result.requests} of {asked.requests} requests could be sent in {result.duration:.0f} s"
        )
    if result.error_rate > asked.max_error_rate:
        found["max_error_rate"] = _failed(result, asked.max_error_rate)
    latency = result.latency()
    for name, allowed in (("p50", asked.p50), ("p99", asked.p99)):
        if allowed is not None and latency[name] > allowed:
            found[name] = f"{name} {latency[name] * 1000:.1f} ms > {allowed * 1000:g} ms"
    if asked.min_throughput is not None and result.throughput < asked.min_throughput:
        found["min_throughput"] = f"throughput {result.throughput:.1f}/s < {asked.min_throughput:g}/s"
    return found


def _failed(result: LoadResult, allowed: float) -> str:
    kinds = sorted(result.failures_by_kind.items(), key=lambda kind: -kind[1])
    told = "; ".join(f"{kind}: {count}, such as: {result.examples[kind]}" for kind, count in kinds)
    return f"{result.failures} of {result.requests} requests failed ({_percent(result.error_rate)} > {_percent(allowed)}): {told}"


def _percent(share: float) -> str:
    return f"{share * 100:.3g}%"
