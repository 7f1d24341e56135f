"""Traps in the gates of evaluation: gates that decide nothing, or not what their writer wants."""

from __future__ import annotations

from collections.abc import Iterator

from loopwright.spec.complaints import quoted
from loopwright.spec.gates import LESS_IS_BETTER, SHARES
from loopwright.spec.models import Workload

Found = Iterator[tuple[str, str]]  # path and message


def no_gates(spec: Workload) -> Found:
    """Nothing decides whether a model is good enough."""
    if not spec.evaluation.gates:
        yield (
            "evaluation.gates",
            "No gates: every model is good enough. Add one such as `{metric: accuracy, min: 0.75}`.",
        )


def champion_alone(spec: Workload) -> Found:
    """Gates that a first version, with nothing to be compared with, always passes."""
    gates = spec.evaluation.gates
    if gates and all(gate.min_versus_champion is not None for gate in gates):
        yield (
            "evaluation.gates",
            "All gates compare with the version that serves, so the first version passes whatever it does. Add one with `min` or `max`.",
        )


def slice_is_label(spec: Workload) -> Found:
    """Slices in each of which all rows have the same label."""
    labels = {data.label for data in spec.data.values()}
    for index, gate in enumerate(spec.evaluation.gates):
        if gate.slice in labels:
            yield (
                f"evaluation.gates.{index}.slice",
                f"{quoted(gate.slice or '')} is the label: each slice then has one label only, which most metrics cannot judge. "
                "Slice by another column.",
            )


def always_passes(spec: Workload) -> Found:
    """Bounds that no value of the metric can miss."""
    for index, gate in enumerate(spec.evaluation.gates):
        low = gate.min is None or (gate.min <= 0 and gate.metric != "r2")
        high = gate.max is None or (gate.max >= 1 and gate.metric in SHARES)
        if gate.min_versus_champion is None and low and high:
            yield (
                f"evaluation.gates.{index}",
                f"Every value of {gate.metric} passes this gate. Set a bound that a bad model misses.",
            )


def wrong_way(spec: Workload) -> Found:
    """A least value for what is better the less there is of it."""
    for index, gate in enumerate(spec.evaluation.gates):
        if gate.metric in LESS_IS_BETTER and gate.min is not None and gate.max is None:
            yield (
                f"evaluation.gates.{index}.min",
                f"Less of {gate.metric} is better, and `min` alone refuses the better models. Did you mean `max`?",
            )
