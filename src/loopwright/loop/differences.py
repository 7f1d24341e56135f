"""What differs between two values of a step's inputs, as people name it. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from loopwright.loop.awaited import StandIn
from loopwright.loop.case import Case
from loopwright.loop.change import digest
from loopwright.loop.steps import Step

_DIGEST = re.compile(r"(sha256:)?[0-9a-f]{64}(\+x)?")


@dataclass(frozen=True)
class Difference:
    """One thing that is not as it was. Values that only a program can read, such as digests, are left out."""

    what: str  # a file, a field of the spec by its path, or words such as "data version"
    how: Literal["added", "removed", "changed"]
    before: Any = None
    after: Any = None


def written_out(step: Step, case: Case) -> dict[str, Any]:
    """A step's inputs with people's names for them, nested values by their paths, digests opened where the step can."""
    details = dict(step.details(case))
    opened = digest(details) if details else ""
    called = step.called(case)
    named = {called.get(key, key): value for key, value in step.inputs(case).items() if value != opened}
    return {called.get(path, path): value for path, value in _flat("", details | named)}


def _flat(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        children: Any = value.items()
    elif isinstance(value, list | tuple):
        children = enumerate(value)
    else:
        yield path, value
        return
    for name, child in children:
        yield from _flat(".".join(part for part in (path, str(name)) if part), child)


def differences(
    before: Mapping[str, Any], after: Mapping[str, Any], names: Mapping[str, str]
) -> tuple[Difference, ...]:
    """What changed, in the order of the names; `names` has what people call a digest or key, such as `titanic:4`.

    What is not known yet is no difference.
    """
    found = []
    for what in sorted({*before, *after}):
        old, new = before.get(what), after.get(what)
        if old == new or isinstance(new, StandIn):
            continue
        how: Literal["added", "removed", "changed"] = "changed"
        if old is None or new is None:
            how = "added" if old is None else "removed"
        found.append(Difference(what, how, _legible(old, names), _legible(new, names)))
    return tuple(found)


def _legible(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, str) and value in names:
        return names[value]
    return None if isinstance(value, str) and _DIGEST.fullmatch(value) else value
