"""Read a workload's folder: the spec, the files that it names, and what is known to go wrong with such a spec."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from loopwright.errors import Problem, SpecError
from loopwright.loop.files import SPEC_FILE
from loopwright.operations.dependencies import Needs, needs
from loopwright.operations.header import header
from loopwright.operations.schema_check import schema_problems
from loopwright.spec import (
    CasesFile,
    Positions,
    SpecWarning,
    Workload,
    load_with_positions,
    parse_with_positions,
    warnings,
)
from loopwright.training.wanted import folder_reader


@dataclass(frozen=True)
class Declared:
    """A valid declaration."""

    folder: Path
    spec: Workload
    positions: Positions
    needs: Needs
    warnings: tuple[SpecWarning, ...]


def read_declaration(folder: Path) -> Declared:
    """Load loopwright.yaml in a folder (or the file itself) and the test cases it names; raises SpecError with every problem."""
    path = folder if folder.is_file() else folder / SPEC_FILE
    if folder.is_dir() and not path.exists():
        hint = "Name the folder that has one, or make one from a table of yours: `loopwright init`."
        raise SpecError([Problem(str(path), 1, 1, "", "no such file", "the spec of a workload", hint)])
    spec, positions = load_with_positions(path)
    wrong = _unknown_columns(spec, positions, path.parent) + schema_problems(spec, path.parent)
    if wrong:
        raise SpecError(wrong)
    needed = needs(spec.training.dependencies, folder_reader(path.parent))
    functional = spec.tests.functional
    if functional is None:
        return Declared(path.parent, spec, positions, needed, warnings(spec, positions))
    cases, case_positions = parse_with_positions(
        CasesFile, path.parent / functional, str(path.parent / functional)
    )
    found = warnings(spec, positions, cases, case_positions)
    return Declared(path.parent, spec, positions, needed, found)


def _excluded(spec: Workload) -> dict[str, str]:
    """The columns that no replica may keep: one that is misspelled would be kept."""
    found = {
        f"serving.observations.exclude.{n}": name for n, name in enumerate(spec.serving.observations.exclude)
    }
    for environment, declared in spec.environments.items():
        own = declared.serving is not None and "observations" in declared.serving.model_fields_set
        for n, name in enumerate(spec.serving_in(environment).observations.exclude if own else ()):
            found[f"environments.{environment}.serving.observations.exclude.{n}"] = name
    return found


def _unknown_columns(spec: Workload, positions: Positions, folder: Path) -> list[Problem]:
    """Columns that the spec names and the data does not have: a gate on one has no data to decide it.

    Looks only at a CSV's first line; other formats show it in the data step.
    """
    problems = []
    for name, data in spec.data.items():
        columns = header(folder / data.source)
        named = {f"data.{name}.label": data.label}
        if data.split.by != "row":
            named[f"data.{name}.split.by"] = data.split.by
        named |= _excluded(spec)
        named |= {
            f"evaluation.gates.{n}.slice": gate.slice
            for n, gate in enumerate(spec.evaluation.gates)
            if gate.slice
        }
        for path, column in named.items():
            known = [one for one in columns if one != data.label or "exclude" not in path]
            if columns and column not in known:
                near = get_close_matches(column, known, 1)
                hint = f"Did you mean `{near[0]}`?" if near else ""
                expected = f"a column of {data.source}: {', '.join(known)}"
                problems.append(positions.problem(path, f"`{column}`", expected, hint))
    return problems
