"""Before anything runs: can each engine do what the spec asks of it? A field that it cannot is an error with its place."""

from __future__ import annotations

from loopwright.engines.base import Capability
from loopwright.engines.capabilities import capabilities_of
from loopwright.errors import Problem, SpecError
from loopwright.operations.declaration import Declared


def capabilities(declared: Declared) -> dict[str, tuple[Capability, ...]]:
    """For each engine that the spec names: what it makes of the spec's fields. Raises SpecError for refused ones."""
    engines = dict.fromkeys(str(environment.engine) for environment in declared.spec.environments.values())
    found = {engine: capabilities_of(engine, declared.spec) for engine in engines}
    refused = [
        _problem(declared, capability)
        for judged in found.values()
        for capability in judged
        if capability.verdict == "refused"
    ]
    if refused:
        raise SpecError(sorted(refused, key=lambda problem: (problem.line, problem.column)))
    return found


def _problem(declared: Declared, refused: Capability) -> Problem:
    written = declared.positions.text(refused.field)
    found = f"`{written}`" if written else "this"
    return declared.positions.problem(refused.field, found, refused.value, refused.sentence)
