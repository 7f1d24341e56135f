"""Read a workload's folder: the spec, the files that it names, and what is known to go wrong with such a spec."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from loopwright.loop.files import SPEC_FILE
from loopwright.spec import (
    CasesFile,
    SpecWarning,
    Workload,
    load_with_positions,
    parse_with_positions,
    warnings,
)


@dataclass(frozen=True)
class Declared:
    """A valid declaration."""

    spec: Workload
    warnings: tuple[SpecWarning, ...]


def read_declaration(folder: Path) -> Declared:
    """Load loopwright.yaml in a folder (or the file itself) and the test cases it names; raises SpecError with every problem."""
    path = folder if folder.is_file() else folder / SPEC_FILE
    spec, positions = load_with_positions(path)
    functional = spec.tests.functional
    if functional is None:
        return Declared(spec, warnings(spec, positions))
    cases, case_positions = parse_with_positions(
        CasesFile, path.parent / functional, str(path.parent / functional)
    )
    return Declared(spec, warnings(spec, positions, cases, case_positions))
