"""How the values of a workload's requests spread, beside the baseline of what it was trained on."""

from __future__ import annotations

from typing import Any

from loopwright.observations import bins, recovery
from loopwright.observations.blocks import Header, Pane, Summary
from loopwright.observations.panes import Distribution
from loopwright.observations.reading import Wish
from loopwright.observations.tallies import counts_of, frequent, moments_of, quantiles
from loopwright.operations.observations import find
from loopwright.state import StateFolder

__all__ = ["distributions"]

_NAMED = 5  # unseen categories that are told


def distributions(state: StateFolder, workload: str, environment: str | None, wish: Wish) -> dict[str, Any]:
    """How the values of each column spread, beside the baseline; of the revision that answered last, or of `wish.revision`."""
    kept, wish = find(state, workload, environment, wish)
    found: dict[tuple[str, str], tuple[Header, Distribution]] = {}
    last = ("", "")
    newest_pane = float("-inf")
    for header, pane in recovery.panes(kept.paths):
        if not _wanted(header, pane, wish):
            continue
        key = (header.revision, pane.baseline)
        _, total = found.setdefault(key, (header, Distribution(pane.baseline)))
        total.add(pane)
        if pane.ended > newest_pane:
            last, newest_pane = key, pane.ended
    if not found:
        return {"workload": kept.workload, "columns": []}
    header, total = found[last]
    role = wish.role or "live"
    baseline = bins.decode(header.bins) if header.bins else None
    known = dict(baseline.features) | {"prediction": baseline.outcome} if baseline else {}
    columns = [
        *(_spread("feature", name, one, known.get(name)) for name, one in total.features(role).items()),
        *(_spread("output", name, one, known.get(name)) for name, one in total.outputs(role).items()),
    ]
    return {
        "workload": kept.workload,
        "revision": header.revision,
        "version": header.version,
        "role": role,
        "columns": columns,
    }


def _wanted(header: Header, pane: Pane, wish: Wish) -> bool:
    return (
        wish.takes_replica(header)
        and (wish.since is None or pane.ended >= wish.since)
        and (wish.until is None or pane.began <= wish.until)
    )  # fmt: skip


def _spread(kind: str, name: str, summary: Summary, into: bins.Bins | None) -> dict[str, Any]:
    counts = counts_of(summary)
    median = quantiles(summary, [0.5])
    return {
        "name": name,
        "kind": kind,
        "rows": counts.rows,
        "missing": counts.missing,
        "out_of_range": counts.out_of_range if into is not None else None,
        "other": counts.other,
        "low": summary.low,
        "high": summary.high,
        "mean": summary.mean if summary.count else None,
        "deviation": moments_of(summary).deviation,
        "median": median[0] if median else None,
        "unbinned": [{"value": text, "count": count} for text, count in frequent(summary)[:_NAMED]],
        "bins": _bins(summary, into),
        "baseline": _trained(into),
    }


def _trained(into: bins.Bins | None) -> dict[str, Any] | None:
    """What the training rows were; None where no baseline has the column."""
    if into is None:
        return None
    known = {"rows": into.counts.rows, "missing": into.counts.missing}
    if isinstance(into, bins.Categories) or into.moments is None:
        return known
    median = into.percentiles[50] if into.percentiles else None
    of = into.moments
    return known | {
        "low": of.low,
        "high": of.high,
        "mean": of.mean,
        "deviation": of.deviation,
        "median": median,
    }


def _bins(summary: Summary, into: bins.Bins | None) -> list[dict[str, Any]]:
    if into is None:
        return []
    names = into.edges if isinstance(into, bins.Numbers) else into.names
    return [
        {"bin": name, "count": count, "baseline": before}
        for name, count, before in zip(names, summary.bins, into.counts.bins, strict=True)
    ]
