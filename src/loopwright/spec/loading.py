"""Read loopwright.yaml and the files it names into frozen models, or say everything that is wrong with them.

Used by operations (a folder's spec), the loop (a stored one), datasets and evaluation (files of their own models).
"""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from loopwright.errors import Problem, SpecError
from loopwright.spec import wording
from loopwright.spec.models import Workload
from loopwright.spec.outline import crosschecks
from loopwright.spec.positions import Positions
from loopwright.spec.presence import missing_files
from loopwright.spec.reading import Document, read_document, read_text

Parsed = TypeVar("Parsed", bound=BaseModel)


def load(path: Path) -> Workload:
    """The workload that a file declares; raises SpecError with every problem of it."""
    return load_with_positions(path)[0]


def load_with_positions(path: Path) -> tuple[Workload, Positions]:
    """The workload, and where each of its values stands, for faults that show only later."""
    return _workload(read_document(read_text(path, str(path)), str(path)), path.parent)


def load_for_inference(path: Path) -> Workload:
    """As `load`, for making schema files: those that the spec names need not be there yet."""
    return _workload(read_document(read_text(path, str(path)), str(path)), path.parent, schemas=False)[0]


def load_stored(path: Path, name: str = "loopwright.yaml") -> Workload:
    """A spec that was accepted before and kept apart from its folder: as `load`, without a look at the files it names."""
    return _workload(read_document(read_text(path, name), name), None)[0]


def load_text(text: str, file_name: str = "loopwright.yaml", folder: Path | None = None) -> Workload:
    """As `load`, from text; the files that it names are looked for in `folder`, if one is given."""
    return _workload(read_document(text, file_name), folder)[0]


def load_yaml(path: Path, name: str | None = None) -> tuple[object, Positions]:
    """A YAML file's plain values and their places, as strictly read as a spec; raises SpecError. Messages call it `name`."""
    shown = name or str(path)
    document = read_document(read_text(path, shown), shown)
    if document.problems:
        raise SpecError(document.problems)
    return document.value, document.positions


def parse(model: type[Parsed], path: Path, name: str | None = None) -> Parsed:
    """A YAML file as a model; raises SpecError with every problem, as `load` does. Messages call the file `name`."""
    return parse_with_positions(model, path, name)[0]


def parse_with_positions(
    model: type[Parsed], path: Path, name: str | None = None
) -> tuple[Parsed, Positions]:
    """As `parse`, with where each value stands."""
    shown = name or str(path)
    document = read_document(read_text(path, shown), shown)
    return _built(model, document, []), document.positions


def _workload(document: Document, folder: Path | None, schemas: bool = True) -> tuple[Workload, Positions]:
    complaints = crosschecks(document.value)
    if folder is not None:
        complaints += missing_files(document.value, folder, schemas)
    found = [document.positions.problem(c.at, c.found, c.expected, c.hint) for c in complaints]
    return _built(Workload, document, found), document.positions


def _built(model: type[Parsed], document: Document, found: list[Problem]) -> Parsed:
    """The model; raises SpecError with what the validator, the YAML reader and the caller found, in the file's order."""
    found = [*document.problems, *found]
    try:
        built = model.model_validate(document.value)
    except ValidationError as error:
        found += wording.problems(error, document.positions, model)
    if found:
        raise SpecError(sorted(found, key=lambda problem: (problem.line, problem.column)))
    return built
