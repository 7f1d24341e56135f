"""What the evaluation job leaves behind: its output, `evaluation.json` (the same) and `predictions.csv`."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from loopwright.evaluation.asking import Answer
from loopwright.evaluation.gates import Champion, Side, Verdict
from loopwright.evaluation.held_out import HeldOut


def build(
    data: HeldOut,
    side: Side,
    champion: Champion | None,
    verdicts: Sequence[Verdict],
    doubts: Sequence[str],
) -> dict[str, Any]:
    """The job's output."""
    return {
        **side.overall.as_json(),
        "task": data.question.task,
        "classes": list(data.question.classes),
        "positive": data.question.positive,
        "unlabelled": data.unlabelled,
        "slices": {
            column: {name: m.as_json() for name, m in of.items()} for column, of in side.slices.items()
        },
        "champion": _champion(champion),
        "gates": [verdict.as_json() for verdict in verdicts],
        "warnings": list(doubts),
        "passed": all(verdict.passed for verdict in verdicts),
    }


def _champion(champion: Champion | None) -> dict[str, Any] | None:
    if champion is None:
        return None
    own, candidate = champion.own, champion.candidate
    return {
        "name": champion.name,
        "rows": own.overall.rows if own else 0,
        "metrics": own.overall.values if own else {},
        "candidate_metrics": candidate.overall.values if candidate else {},
        "problem": champion.problem,
    }


def write(
    outputs: Path,
    content: dict[str, Any],
    data: HeldOut,
    mine: Sequence[Answer],
    theirs: Sequence[Answer] | str,
) -> None:
    """Both files. A row's number in predictions.csv is its place in the held-out file, from 1, the header not counted."""
    (outputs / "evaluation.json").write_text(json.dumps(content, indent=2, allow_nan=False) + "\n")
    champion = {} if isinstance(theirs, str) else dict(zip(data.compared, theirs, strict=True))
    with (outputs / "predictions.csv").open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["row", "label", "prediction", "probability", "champion_prediction"])
        for place, (index, label, answer) in enumerate(zip(data.frame.index, data.labels, mine, strict=True)):
            other = champion.get(place)
            writer.writerow(
                [index + 1, label, answer.prediction, answer.probability, other.prediction if other else None]
            )
