"""The held-out rows with all that is asked of them: labels, slices, and which of them a champion may be compared on.

Read once, in a thread, while the replicas start.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from loopwright.errors import StepFailed
from loopwright.evaluation import judging, rows, slices
from loopwright.evaluation.metrics import Question, Task
from loopwright.evaluation.package_files import read_package_file

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class HeldOut:
    """Every row that has a label. `compared`: positions of the rows that neither candidate nor champion trained on."""

    frame: pd.DataFrame
    labels: Sequence[Any]
    question: Question
    slicing: judging.Slicing
    unlabelled: int
    compared: Sequence[int]


def read(given: Mapping[str, Any]) -> HeldOut:
    """Read what the evaluation job's input names; raises StepFailed where that cannot be judged."""
    task: Task = given["task"]
    label, path, marks = given["label"], Path(given["data"]), given.get("missing_values")
    train, test = (_with_label(Path(given[name]), label, marks) for name in ("train", "data"))
    frame = test[test[label].notna()]
    if frame.empty:
        raise StepFailed(
            f"{path.name} has no row with a `{label}`, so there is nothing to judge by; hold out more rows (data.NAME.split.test)."
        )
    truth = rows.plain(frame[label])
    labels = judging.labels(truth, task, label)
    return HeldOut(
        frame=frame,
        labels=labels,
        question=judging.question(task, label, [*truth, *rows.plain(train[label])], given.get("positive")),
        slicing=_slicing(given, frame, {label: labels}),
        unlabelled=len(test) - len(frame),
        compared=_new_to_both(given.get("champion"), frame, train, marks),
    )


def _with_label(path: Path, label: str, marks: rows.Marks | None) -> pd.DataFrame:
    frame = rows.read(path, marks)
    if label not in frame.columns:
        raise StepFailed(f"{path.name} has no column `{label}`, the label; it has {_columns(frame)}.")
    return frame


def _slicing(
    given: Mapping[str, Any], frame: pd.DataFrame, known: Mapping[str, Sequence[Any]]
) -> judging.Slicing:
    """Slices for the columns that gates name; a column is typed as the package's signature has it."""
    inputs = read_package_file(Path(given["package"]), "signature.json")["inputs"]
    types = {column["name"]: column["type"] for column in inputs}
    sliced: dict[str, Sequence[str]] = {}
    named = {gate["slice"]: number for number, gate in enumerate(given["gates"]) if gate.get("slice")}
    for column, number in named.items():
        if column not in frame.columns:
            raise StepFailed(
                f"A gate's slice is `{column}`, which the data does not have; it has {_columns(frame)}.",
                [f"evaluation.gates.{number}.slice"],
            )
        typed = known[column] if column in known else rows.values(frame[column], types.get(column, "string"))
        sliced[column] = slices.assign(typed)
    return judging.Slicing(sliced)


def _new_to_both(
    champion: Mapping[str, Any] | None, test: pd.DataFrame, train: pd.DataFrame, marks: rows.Marks | None
) -> list[int]:
    """Rows are the same where the columns that both files have are: a column that was added makes no row new."""
    from loopwright.observations.rows import row_hashes

    if champion is None:
        return []
    frames = [train] if champion["train"] is None else [train, rows.read(Path(champion["train"]), marks)]
    kept = list(range(len(test)))
    for frame in frames:
        shared = [column for column in test.columns if column in frame.columns]
        if shared:
            seen = set(row_hashes(frame[shared]).tolist())
            hashes = row_hashes(test[shared]).tolist()
            kept = [row for row in kept if hashes[row] not in seen]
    return kept


def _columns(frame: pd.DataFrame) -> str:
    return ", ".join(map(str, frame.columns))
