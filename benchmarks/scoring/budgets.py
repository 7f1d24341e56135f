"""What was found, as budgets: ratios of sides in the same round."""

from __future__ import annotations

from collections.abc import Sequence

from measuring import Found
from models import FOREST, MODELS
from pacing import Paced
from report import Budget
from soak import Soaked

BATCHING_PEERS = ("litserve", "mlserver", "bentoml")
_AT = 32  # connections


def speed(found: Sequence[Found]) -> list[Budget]:
    """The budgets of throughput, start and memory for which both sides were measured."""
    by_side = {(one.side, one.model): one for one in found}

    def rates(side: str, model: str) -> list[float]:
        return by_side[side, model].rates(_AT) if (side, model) in by_side else []

    peers = filter(None, (rates(name, FOREST) for name in BATCHING_PEERS))
    best = [max(several) for several in zip(*peers, strict=True)]
    budgets = []
    for model in MODELS:
        ours = rates("loopwright compiled", model)
        budgets += _ratio(f"compiled {model} / echo at {_AT}", ours, rates("echo", model), 0.6)
    ours = rates("loopwright compiled", FOREST)
    budgets += _ratio(f"compiled forest / best batching peer at {_AT}", ours, best, 20)
    ours = rates("loopwright batched", FOREST)
    budgets += _ratio(f"batched scikit-learn forest / best batching peer at {_AT}", ours, best, 3)
    for model in MODELS:
        ours = rates("loopwright script", model)
        budgets += _ratio(f"score.py {model} / Azure's server at {_AT}", ours, rates("azureml", model), 1.5)
    for one in found:
        if one.side == "loopwright compiled":
            memory = [value / 1e6 for value in one.resident]
            budgets.append(Budget(f"compiled {one.model}, start to first 200", one.started_in, 0.7, "s"))
            budgets.append(Budget(f"compiled {one.model}, resident memory", memory, 150, "MB"))
    return budgets


def pacing(rounds: Sequence[tuple[Paced, Paced]]) -> list[Budget]:
    """Of our replica and the echo, at the same rate."""
    return _ratio(
        "compiled forest / echo, p99 at half of our peak",
        [ours.p99 for ours, _ in rounds],
        [echo.p99 for _, echo in rounds],
        3,
        at_least=False,
    )


def soaking(soaked: Soaked) -> list[Budget]:
    """A flat line, and no error of the replica's own."""
    return [
        Budget(f"memory's growth over {soaked.answered:,} requests", [soaked.growth], 5, "MB"),
        Budget("requests of the soak that failed", [float(soaked.failed)], 0),
    ]


def _ratio(
    name: str, ours: Sequence[float], theirs: Sequence[float], budget: float, at_least: bool = True
) -> list[Budget]:
    if not ours or not theirs:
        return []
    return [
        Budget(name, [one / other for one, other in zip(ours, theirs, strict=True)], budget, "x", at_least)
    ]
