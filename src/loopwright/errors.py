"""Every error that Loopwright raises on purpose, with stable codes.

All rooms raise these; the CLI and the server each map them once to what their users see.

    LoopwrightError
      PermanentError                 trying again without a change cannot help
        UsageError         usage     the command line or the request is not understood (exit status 2)
        SpecError          spec      loopwright.yaml, or a file it names, is wrong; carries every problem
        NotFoundError      not-found what was named does not exist here
        ConflictError      conflict  the state of things forbids it now (not waiting, already decided ...)
        StepFailed         step      a step of the loop came to a definite no (data, gate, test, training)
        IntegrityError     integrity recorded facts or a package are not what they were
        EngineError        engine    the engine cannot do what was asked
        StaleEpochError    epoch     another control plane has taken over this state
        MachineError       machine   this machine lacks something (a program, a port, space, permission)
      TemporaryError       temporary worth trying again after `delay` seconds
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

_MOST_TOLD = 20  # problems of one file that a message lists; --json has them all


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong in a file: where it stands, what was found and what was expected."""

    file: str
    line: int
    column: int
    path: str
    found: str
    expected: str
    hint: str = ""

    def __str__(self) -> str:
        hint = f" {self.hint}" if self.hint else ""
        at = f"{self.path}: " if self.path else ""
        return (
            f"{self.file}:{self.line}:{self.column}: {at}found {self.found}, expected {self.expected}.{hint}"
        )


@dataclass(frozen=True)
class Place:
    """What a failure rests on: a value of a workload's YAML file by its dotted path, or a line of another of its files.

    Whoever fails names the path, and where it knows them the file (loopwright.yaml where empty) and the line; a line of 0
    is looked up when the failure is recorded (see `loop.places`).
    """

    path: str = ""
    file: str = ""
    line: int = 0
    column: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}{'  ' if self.path else ''}{self.path}"


class LoopwrightError(Exception):
    """The root: a clear sentence for a person, and a code for a program."""

    code = "error"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message

    def details(self) -> dict[str, object]:
        """More of the error for machines; empty for most."""
        return {}


class PermanentError(LoopwrightError):
    """Trying again without a change cannot help."""

    code = "permanent"


class UsageError(PermanentError):
    """The command line or the request is not understood."""

    code = "usage"


class SpecError(PermanentError):
    """The spec, or a file it names, is wrong; all problems at once."""

    code = "spec"

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        told = [str(problem) for problem in self.problems[:_MOST_TOLD]]
        more = len(self.problems) - len(told)
        super().__init__("\n".join([*told, *([f"... and {more} more problems."] if more > 0 else [])]))

    def details(self) -> dict[str, object]:
        return {"problems": [asdict(problem) for problem in self.problems]}


class NotFoundError(PermanentError):
    """What was named does not exist here."""

    code = "not-found"


class ConflictError(PermanentError):
    """The state of things forbids it now."""

    code = "conflict"


class StepFailed(PermanentError):  # noqa: N818  (a verdict more than an error)
    """A step of the loop came to a definite no; `at` says where its reason can be changed, as `Place`s or paths of the spec."""

    code = "step"

    def __init__(self, message: str, at: Sequence[Place | str] = ()) -> None:
        self.places = tuple(Place(one) if isinstance(one, str) else one for one in at)
        super().__init__(message)

    def details(self) -> dict[str, object]:
        return {"places": [asdict(place) for place in self.places]} if self.places else {}


@contextmanager
def resting_on(*at: Place | str) -> Iterator[None]:
    """Give these places to a StepFailed of this block that has none of its own."""
    try:
        yield
    except StepFailed as error:
        error.places = error.places or StepFailed("", at).places
        raise


class IntegrityError(PermanentError):
    """Recorded facts or a package are not what they were."""

    code = "integrity"


class EngineError(PermanentError):
    """The engine cannot do what was asked."""

    code = "engine"


class StaleEpochError(PermanentError):
    """Another control plane has taken over this state."""

    code = "epoch"


class MachineError(PermanentError):
    """This machine lacks something that is needed."""

    code = "machine"


class TemporaryError(LoopwrightError):
    """Worth trying again after `delay` seconds."""

    code = "temporary"

    def __init__(self, message: str, delay: float = 1.0) -> None:
        super().__init__(message)
        self.delay = delay


def from_report(code: str, message: str, details: dict[str, object]) -> LoopwrightError:
    """The error that another process of ours reported, as that class again."""
    problems = details.get("problems")
    if code == SpecError.code and isinstance(problems, list):
        return SpecError([Problem(**problem) for problem in problems])
    if code == StepFailed.code:
        return StepFailed(message, read_places(details))
    known = {kind.code: kind for kind in _kinds(LoopwrightError) if kind is not SpecError}
    return known.get(code, LoopwrightError)(message)


def read_places(details: dict[str, Any]) -> tuple[Place, ...]:
    """The places among the details of a StepFailed, or in the body of a fact."""
    return tuple(Place(**place) for place in details.get("places", ()))


def _kinds(kind: type[LoopwrightError]) -> list[type[LoopwrightError]]:
    return [kind, *(found for child in kind.__subclasses__() for found in _kinds(child))]
