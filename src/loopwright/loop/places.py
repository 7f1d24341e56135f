"""Where in a workload's files the reason of a failed step can be changed: file, line and column.

Why: a person who is told "accuracy 0.79 < 0.85" wants to go to the line that asks for 0.85. Whoever fails knows the
dotted path (`evaluation.gates.0.min`), or has a traceback of the user's script in its hands; the lines are found here, in
the files as the change has them, when the failure is recorded.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from loopwright.catalog import Store
from loopwright.errors import LoopwrightError, NotFoundError, Place, SpecError, StepFailed
from loopwright.loop.change import Change
from loopwright.loop.files import SPEC_FILE
from loopwright.spec import Positions, load_yaml
from loopwright.spec.dependencies import SOURCES

_MOST_SHOWN = 8
_FRAME = re.compile(
    r'File "([^"\n]+)", line (\d+)|([\w./-]+\.py):(\d+)'
)  # Python's traceback, and our own short form
_RAISED = re.compile(r"\b(\w+(?:Error|Exception)): (?=(.*))")
_ABSENT = re.compile(r"No module named '(\w+)'")  # with a dot it is a part of a package that is there
_PACKAGES = {
    "sklearn": "scikit-learn",
    "yaml": "pyyaml",
    "PIL": "pillow",
    "cv2": "opencv-python",
    "skimage": "scikit-image",
}
_HEAD = "\nWhere to change that:"


def with_places(error: LoopwrightError, change: Change, store: Store) -> tuple[str, tuple[Place, ...]]:
    """An error's message with its places below, and the places."""
    if not isinstance(error, StepFailed):
        return error.message, ()
    scripts = in_scripts(error.message, change.files)
    hint, requirements = _requirement(error.message, change, store)
    message = f"{error.message}\n{hint}" if hint else error.message
    places = locate((*(error.places or scripts), *requirements), change, store)
    told = [str(place) for place in places if str(place).split("  ")[0] not in error.message]
    more = [f"and {len(told) - _MOST_SHOWN} more"] if len(told) > _MOST_SHOWN else []
    lines = [f"\n    {line}" for line in (*told[:_MOST_SHOWN], *more)]
    return message + (_HEAD if lines else "") + "".join(lines), places


def locate(places: Sequence[Place], change: Change, store: Store) -> tuple[Place, ...]:
    """The places with their lines, in the files as the change has them; one in a file that it does not have is left out."""
    files = {SPEC_FILE: change.spec} | dict(change.files)
    known: dict[str, Positions | None] = {}
    found: list[Place] = []
    for place in places:
        file = place.file or SPEC_FILE
        if place.line or file not in files:
            found += [place] if place.line else []
            continue
        if file not in known:
            known[file] = _positions(store, files[file], file)
        positions = known[file]
        line, column = positions.at(place.path) if positions else (1, 1)
        found.append(replace(place, file=file, line=line, column=column))
    return tuple(dict.fromkeys(found))


def in_scripts(text: str, files: Iterable[str]) -> tuple[Place, ...]:
    """The innermost frame of a traceback that is one of these files; empty where there is none."""
    scripts = sorted((file for file in files if file.endswith(".py")), key=len, reverse=True)
    found: tuple[Place, ...] = ()
    for match in _FRAME.finditer(text):
        path, line = match[1] or match[3], match[2] or match[4]
        script = next((name for name in scripts if path == name or path.endswith(f"/{name}")), None)
        if script is not None:
            found = (Place(file=script, line=int(line)),)
    return found


def _requirement(message: str, change: Change, store: Store) -> tuple[str, tuple[Place, ...]]:
    """What to do about a package that the user's code imports and its environment lacks, and the file to add it to."""
    raised = _RAISED.findall(
        message
    )  # what was raised last ended it; the script may have done without others
    absent = _ABSENT.match(raised[-1][1]) if raised and raised[-1][0] == "ModuleNotFoundError" else None
    if absent is None or _is_own(absent[1], change.files):
        return "", ()
    try:
        spec: Any = load_yaml(store.file(change.spec), SPEC_FILE)[0]
        dependencies = spec["training"]["dependencies"]
        file = next(str(dependencies[source]) for source in SOURCES if dependencies.get(source))
    except (SpecError, NotFoundError, LookupError, TypeError, AttributeError, StopIteration):
        return "", ()
    package = _PACKAGES.get(absent[1], absent[1])
    return f"{package} is not among the requirements: add it to {file}.", (Place(file=file, line=1),)


def _is_own(module: str, files: Iterable[str]) -> bool:
    """Whether a file of the workload has that name: then it is the path that is wrong, and no package is missing."""
    return any(module in (*path.split("/")[:-1], path.split("/")[-1].removesuffix(".py")) for path in files)


def _positions(store: Store, content: str, name: str) -> Positions | None:
    try:
        return load_yaml(store.file(content), name)[1]
    except (SpecError, NotFoundError):  # no YAML, or no longer kept: its first line is all that can be said
        return None
