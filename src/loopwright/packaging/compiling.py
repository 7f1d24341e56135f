"""A model's compiled form, made and kept only if it answers as the original does: the package's folder `compiled`.

The original is read and asked in the user's own interpreter; the compiled form is asked by the very code of the front.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import msgspec

from loopwright.errors import MachineError, StepFailed, UsageError
from loopwright.packaging import generated_rows, known_rows, thresholds, tree_graph, tree_head, verdict
from loopwright.packaging.converting import Conversion, NotConverted, Original, original
from loopwright.packaging.generated_rows import Pools
from loopwright.packaging.known_rows import Row
from loopwright.packaging.verdict import Answered, Verdict
from loopwright.scoring import Input, ModelFile, Output, compiled_plan
from loopwright.scoring.compiled_plan import Masks, Onnx, Plan
from loopwright.scoring.refusals import InvalidInput

Wish = Literal["auto", "never", "required"]

_MOST_HELD_OUT, _MOST_KNOWN = 20_000, 5_000  # rows that are read
_AT_ONCE = 64  # rows in a call, as in the front
_ALONE = 200  # rows that are asked about one by one too


class Compilation(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it: the compiled form with what was compared, or why there is none."""

    outputs: tuple[Output, ...] | None = None  # of the compiled form; none: there is none
    reason: str = ""  # a clause: why not
    report: dict[str, Any] | None = None


class Data(msgspec.Struct, frozen=True):
    """Files of the data version; absolute paths, empty where there is none."""

    train: str = ""
    test: str = ""


def compiled_form(
    wish: Wish,
    package: Path,
    model: ModelFile,
    python: str,
    inputs: Sequence[Input],
    example: Mapping[str, Any],
    data: Data,
) -> Compilation:
    """Make package/compiled, or say why not; raises StepFailed where it is required and cannot be."""
    if wish == "never":
        return Compilation(reason="packaging.compile is never")
    try:
        made = _made(package, model, python, inputs, known_rows.row_of(example, inputs), data)
    except NotConverted as error:
        shutil.rmtree(package / compiled_plan.FOLDER, ignore_errors=True)
        made = Compilation(reason=str(error))
    if wish == "required" and made.outputs is None:
        raise StepFailed(
            f"The model {model.path} cannot be compiled: {made.reason}. packaging.compile is required; with auto it would be "
            "served as it is.",
            ["packaging.compile"],
        )
    return made


def _made(
    package: Path, model: ModelFile, python: str, inputs: Sequence[Input], example: Row, data: Data
) -> Compilation:
    folder = package / compiled_plan.FOLDER
    with original(package, model, python, inputs, example) as process:
        conversion = process.conversion()
        forest = _write(conversion, process.folder, folder)
        held_out, generated, judged = _judged(process, folder, forest, inputs, example, data)
    if not judged.equal:
        raise NotConverted(
            f"its compiled form does not answer as it does in {judged.differing} of {judged.rows} rows; {judged.example}"
        )
    report = {
        "model": conversion.kind,
        "held_out_rows": held_out,
        "generated_rows": generated,
        "tolerance": verdict.TOLERANCE,
        "worst_difference": judged.worst,
        "ties": judged.ties,
    }
    (folder / compiled_plan.REPORT).write_bytes(msgspec.json.format(msgspec.json.encode(report), indent=1))
    for file in folder.iterdir():
        file.chmod(0o444)
    return Compilation(outputs=compiled_plan.read(folder).outputs, report=report)


def _write(conversion: Conversion, source: Path, folder: Path) -> tree_graph.Forest | None:
    """The files of the compiled form; returns the trees, if it is made of any."""
    folder.mkdir()
    plan, forest = dict(conversion.plan), None
    if conversion.trees is not None:
        described = msgspec.convert(conversion.trees, tree_graph.Described)
        forest = tree_graph.read(source / "trees.npz")
        plan["head"] = tree_head.write(forest, described, plan, plan.pop("width_of_head"), folder)
    plan.pop("width_of_head", None)
    checked = msgspec.convert(plan, Plan)
    (folder / compiled_plan.PLAN).write_bytes(msgspec.json.encode(checked))
    return forest


def _judged(
    process: Original,
    folder: Path,
    forest: tree_graph.Forest | None,
    inputs: Sequence[Input],
    example: Row,
    data: Data,
) -> tuple[int, int, Verdict]:
    """How many rows of either kind were compared, and what that came to."""
    from loopwright.scoring import compiled

    try:
        plan, ours = compiled_plan.read(folder), compiled.load(folder)
    except (UsageError, MachineError) as error:
        raise NotConverted(f"its compiled form cannot be read: {error.message}") from error
    known = [example, *(known_rows.read(Path(data.train), inputs, _MOST_KNOWN) if data.train else ())]
    held_out = known_rows.read(Path(data.test), inputs, _MOST_HELD_OUT) if data.test else []
    pools = Pools(inputs, plan, known, thresholds.of_inputs(forest, plan) if forest else {})
    generated = [*generated_rows.generate(pools, known), *generated_rows.refused(pools, known)]
    if plan.decision.classes:
        near = len(plan.outputs) > 1 or not _has_products(plan)
        generated += generated_rows.ties(known, inputs, lambda rows: _predictions(ours, rows), near=near)
    rows = [*held_out, *generated]
    names = [output.name for output in plan.outputs]
    answered = ask(ours, rows, _AT_ONCE)
    alone = ask(ours, rows[:_ALONE], 1)
    exact = not _has_products(plan)
    if not verdict.compare(rows[:_ALONE], names, answered, alone, exact=exact).equal:
        raise NotConverted("its compiled form answers otherwise when it is asked about one row at a time")
    return (
        len(held_out),
        len(generated),
        verdict.compare(rows, names, process.answers(rows), answered, exact=exact),
    )


def _has_products(plan: Plan) -> bool:
    """Whether sums are made whose order depends on the number of rows."""
    return not isinstance(plan.head, Onnx | Masks) or any(step.op == "product" for step in plan.steps)


def _predictions(ours: Any, rows: list[Row]) -> list[Any]:
    return ask(ours, rows, 1000).columns[0]


def ask(ours: Any, rows: Sequence[Row], at_once: int) -> Answered:
    """The compiled form's answers, by calls of `at_once` rows; what it refuses is null."""
    columns: list[list[Any]] = [[] for _ in ours.outputs]
    refused: list[int] = []
    for start in range(0, len(rows), at_once):
        some = rows[start : start + at_once]
        for at, answers in enumerate(_asked(ours, some, start, refused)):
            columns[at] += answers
    return Answered(columns, refused)


def _asked(ours: Any, rows: Sequence[Row], start: int, refused: list[int]) -> list[list[Any]]:
    try:
        found: list[list[Any]] = ours.score(rows)
        return found
    except InvalidInput:
        if len(rows) == 1:
            refused.append(start)
            return [[None] for _ in ours.outputs]
    one_by_one = [_asked(ours, [row], start + at, refused) for at, row in enumerate(rows)]
    return [[value for answers in one_by_one for value in answers[at]] for at in range(len(ours.outputs))]
