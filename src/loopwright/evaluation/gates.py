"""Gates: from metrics to a verdict with a plain reason, such as `accuracy of gender=male 0.61 < 0.65 (n=218)`.

Pure. One verdict for each condition of a gate; a gate with a slice holds only where it holds for every value of it. A
metric that could not be computed never passes, and a gate that states no condition does not either.

`min_versus_champion` is about the gain over the champion on rows that neither trained on, counted so that more is
better: for log_loss, mae and rmse it is how much the champion's value is above the candidate's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

from loopwright.evaluation.metrics import LESS_IS_BETTER, Metrics

Slices = Mapping[str, Mapping[str, Metrics]]  # column -> value -> metrics
Kind = Literal["min", "max", "min_versus_champion"]
_KINDS: tuple[Kind, ...] = ("min", "max", "min_versus_champion")
_SLACK = 1e-9  # 0.79 - 0.80 is a hair below -0.01 in binary; such a hair decides nothing
_MOST_TOLD = 5  # failing slices that one reason names


@dataclass(frozen=True)
class Side:
    """The metrics of one version over the compared rows."""

    overall: Metrics
    slices: Slices = field(default_factory=dict)


@dataclass(frozen=True)
class Champion:
    """The version that serves, compared with the candidate on the same rows; `problem` says why that could not be."""

    name: str
    own: Side | None
    candidate: Side | None
    problem: str = ""


@dataclass(frozen=True)
class Verdict:
    """Whether one condition holds, and why. `value` is the deciding number: of slices, the worst."""

    gate: str
    value: float | None
    threshold: float | None
    passed: bool
    reason: str
    at: str = ""  # the condition's dotted path in the spec

    def as_json(self) -> dict[str, Any]:
        """The reported form."""
        return asdict(self)


@dataclass(frozen=True)
class _Finding:
    """How one condition stands for all rows or for one slice."""

    value: float | None
    passed: bool
    reason: str


def decide(
    gates: Iterable[Mapping[str, Any]], overall: Metrics, slices: Slices, champion: Champion | None
) -> list[Verdict]:
    """A verdict for every condition of every gate, in order. Gates are dumps of the spec's `Gate`."""
    verdicts: list[Verdict] = []
    for number, gate in enumerate(gates):
        place = f"evaluation.gates.{number}"
        stated = [kind for kind in _KINDS if gate.get(kind) is not None]
        if not stated:
            reason = f"{_title(gate)} states no min, max or min_versus_champion, so it can decide nothing"
            verdicts.append(Verdict(_title(gate), None, None, False, reason, place))
        side = Side(overall, slices)
        verdicts += [replace(_verdict(gate, kind, side, champion), at=f"{place}.{kind}") for kind in stated]
    return verdicts


def _title(gate: Mapping[str, Any]) -> str:
    return f"{gate['metric']} by {gate['slice']}" if gate.get("slice") else str(gate["metric"])


def _verdict(gate: Mapping[str, Any], kind: Kind, side: Side, champion: Champion | None) -> Verdict:
    threshold = float(gate[kind])
    findings = _findings(gate, kind, threshold, side, champion)
    asked = {"min": ">=", "max": "<=", "min_versus_champion": "gain on the champion >="}[kind]
    return Verdict(
        f"{_title(gate)} {asked} {threshold:.10g}",
        _worst(findings, kind),
        threshold,
        all(finding.passed for finding in findings),
        _reason(findings, kind),
    )


def _findings(
    gate: Mapping[str, Any], kind: Kind, threshold: float, side: Side, champion: Champion | None
) -> list[_Finding]:
    """Never empty: a slice without a single value is a finding that fails."""
    metric, column = str(gate["metric"]), gate.get("slice")
    if kind != "min_versus_champion":
        return [
            _absolute(metric, where, m, kind, threshold) for where, m in _parts(side, column)
        ] or _nothing(column)
    if champion is None:
        return [
            _Finding(
                None, True, f"{metric}: no other version serves yet, so there is nothing to compare with"
            )
        ]
    if champion.own is None or champion.candidate is None:
        return [
            _Finding(None, False, f"{metric} against {champion.name} cannot be decided: {champion.problem}")
        ]
    own = dict(_parts(champion.own, column))
    return [
        _relative(metric, where, m, own[where], champion.name, threshold)
        for where, m in _parts(champion.candidate, column)
    ] or _nothing(column)


def _parts(side: Side, column: str | None) -> list[tuple[str, Metrics]]:
    if not column:
        return [("", side.overall)]
    return [(f" of {column}={value}", metrics) for value, metrics in side.slices.get(column, {}).items()]


def _nothing(column: str | None) -> list[_Finding]:
    return [_Finding(None, False, f"{column} has no values among these rows, so nothing can be decided")]


def _absolute(metric: str, where: str, metrics: Metrics, kind: Kind, threshold: float) -> _Finding:
    value = metrics.values.get(metric)
    rows = f" (n={metrics.rows})" if where else ""
    if value is None:
        return _Finding(None, False, f"{metric}{where} cannot be computed: {_why(metrics, metric)}{rows}")
    passed = value >= threshold - _SLACK if kind == "min" else value <= threshold + _SLACK
    return _Finding(value, passed, f"{metric}{where} {_compared(value, threshold, kind, passed)}{rows}")


def _relative(
    metric: str, where: str, mine: Metrics, theirs: Metrics, name: str, threshold: float
) -> _Finding:
    value, other = mine.values.get(metric), theirs.values.get(metric)
    if value is None or other is None:
        why = _why(mine if value is None else theirs, metric)
        return _Finding(
            None, False, f"{metric}{where} against {name} cannot be computed: {why} (n={mine.rows})"
        )
    gain = other - value if metric in LESS_IS_BETTER else value - other
    passed = gain >= threshold - _SLACK
    compared = _compared(gain, threshold, "min", passed)
    reason = f"{metric}{where} {_number(value)} against {_number(other)} of {name}: gain {compared} (n={mine.rows})"
    return _Finding(gain, passed, reason)


def _why(metrics: Metrics, metric: str) -> str:
    known = ", ".join(metrics.values)
    return metrics.undecided.get(metric, f"it is no metric of this task, which has {known}")


def _worst(findings: Sequence[_Finding], kind: Kind) -> float | None:
    values = [finding.value for finding in findings if finding.value is not None]
    if len(values) < len(findings):
        return None
    return max(values) if kind == "max" else min(values)


def _reason(findings: Sequence[_Finding], kind: Kind) -> str:
    """Every failing finding, up to a few; where all hold, the one nearest to failing."""
    failing = [finding.reason for finding in findings if not finding.passed]
    if failing:
        more = f"; and {len(failing) - _MOST_TOLD} more" if len(failing) > _MOST_TOLD else ""
        return "; ".join(failing[:_MOST_TOLD]) + more
    return next(finding.reason for finding in findings if finding.value == _worst(findings, kind))


def _compared(value: float, threshold: float, kind: Kind, passed: bool) -> str:
    """`0.803 >= 0.75`, with as many digits as it takes for the shown numbers to bear the sign out."""
    sign = {("min", True): ">=", ("min", False): "<", ("max", True): "<=", ("max", False): ">"}[kind, passed]
    shown = _number(value)
    if not passed and (float(shown) >= threshold) == (kind == "min"):
        shown = repr(value)  # 0.7499 is no 0.75
    return f"{shown} {sign} {threshold:.10g}"


def _number(value: float) -> str:
    text = f"{value:.3f}" if abs(value) >= 0.01 or value == 0 else f"{value:.3g}"
    return text.rstrip("0").rstrip(".") if "." in text and "e" not in text else text
