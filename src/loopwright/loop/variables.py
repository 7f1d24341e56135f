"""Which variables each part of a change is given. Pure: secrets are names here, and get their values where a process starts.

From the least to the most particular, each over those before it:
    training and tasks    groups for everywhere, `variables`, `training.variables`
    an environment        groups for everywhere, `variables`, the groups for it, `environments.NAME.variables`
Packaging and evaluation start replicas, and give them what the first environment does.
"""

from __future__ import annotations

from collections.abc import Mapping

from loopwright.loop.change import Change, digest
from loopwright.secrets.references import referred, secret_in
from loopwright.spec.models import Workload

Variables = dict[str, str]
"""Name -> value, or `secret:NAME`."""


def training_variables(spec: Workload, change: Change) -> Variables:
    """What the training job and the tasks find in their environment."""
    return {**_everywhere(spec, change), **spec.training.variables}


def environment_variables(spec: Workload, change: Change, environment: str) -> Variables:
    """What the replicas of an environment find in theirs."""
    found = _everywhere(spec, change)
    for name, group in spec.variable_groups.items():
        if group.environments is not None and environment in group.environments:
            found |= change.groups.get(name, {})
    return {**found, **spec.environments[environment].variables}


def first_variables(spec: Workload, change: Change) -> Variables:
    """What the replicas that packaging and evaluation start find in theirs."""
    return environment_variables(spec, change, next(iter(spec.environments)))


def seen(variables: Variables) -> dict[str, Variables]:
    """As part of a step's inputs: nothing where there are none, so that steps of before there were any stay done.

    A secret counts by its name: a token that was renewed makes no other model. Values are digested, so that `plan`, which
    shows what differs, shows names alone.
    """
    return {"variables": {name: digest(value) for name, value in variables.items()}} if variables else {}


def served(variables: Variables, change: Change) -> dict[str, Variables]:
    """As part of a revision: as `seen`, and a secret counts by its value too, so that replicas get the new one."""
    if not variables:
        return {}
    return {
        "variables": {
            name: digest([value, change.secrets.get(secret_in(value))]) for name, value in variables.items()
        }
    }


def placeholders_of(variables: Mapping[str, str]) -> dict[str, str]:
    """What commands may name of them: all but secrets, which do not belong on a command line."""
    secret = referred(variables)
    return {f"variables.{name}": value for name, value in variables.items() if name not in secret}


def _everywhere(spec: Workload, change: Change) -> Variables:
    found: Variables = {}
    for name, group in spec.variable_groups.items():
        if group.environments is None:
            found |= change.groups.get(name, {})
    return {**found, **spec.variables}
