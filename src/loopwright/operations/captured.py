"""What an `up` brings along besides the folder: variables of its caller's environment, and which secrets there are.

The command line is asked for what a spec needs of its environment and sends just that. A secret that it brings is kept,
encrypted, as if it had been set: jobs and replicas start when the caller is long gone.
"""

from __future__ import annotations

import io
import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from loopwright.errors import Problem, SpecError
from loopwright.loop.book import Book
from loopwright.loop.view import View
from loopwright.operations.declaration import Declared
from loopwright.secrets.providers import FROM_ENVIRONMENT, Secrets
from loopwright.secrets.references import referred
from loopwright.secrets.vault import refuse_unfit
from loopwright.spec import Workload
from loopwright.spec.complaints import quoted
from loopwright.spec.outline import placeholders
from loopwright.spec.variables import VariableGroup, unfit_name, unfit_value


@dataclass(frozen=True)
class Captured:
    """The variables of each group, and a keyed digest of each secret; plain values, to be recorded with the change."""

    groups: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)


NOTHING = Captured()


def wanted_of_caller(spec: Workload, folder: Path) -> dict[str, list[str]]:
    """The names and the prefixes of what a spec needs of the caller's environment; both empty for most."""
    groups = spec.variable_groups.values()
    names = [name for group in groups for name in group.names or ()]
    secrets = [f"{FROM_ENVIRONMENT}{name}" for name in _secret_places(spec, _files(spec, folder))]
    return {"names": [*names, *secrets], "prefixes": [group.prefix for group in groups if group.prefix]}


def capture(
    declared: Declared, caller: Mapping[str, str], secrets: Secrets, own: Mapping[str, str] = os.environ
) -> tuple[Captured, dict[str, str]]:
    """What is to be recorded, and the secrets that the caller brought (name -> value), which are to be kept.

    A secret that nobody has yet may also stand in the control plane's own environment.

    Raises SpecError, before anything is kept, for a group without its variables and for a secret that nobody has.
    """
    spec, positions = declared.spec, declared.positions
    groups = _files(spec, declared.folder)
    problems: list[Problem] = []
    for name, group in spec.variable_groups.items():
        if group.file is None:
            groups[name], missing = _of_caller(group, caller)
            at = f"variable_groups.{name}.{'names' if group.names else 'prefix'}"
            problems += [positions.problem(at, *fault) for fault in missing]
    for name, variables in groups.items():
        problems += [positions.problem(f"variable_groups.{name}", *fault) for fault in _unfit(variables)]
    digests: dict[str, str] = {}
    brought: dict[str, str] = {}
    for name, at in _secret_places(spec, groups).items():
        value = _looked_up(name, caller, secrets, own, brought)
        if value is None:
            hint = f"`loopwright secrets set {name}` sets it; {FROM_ENVIRONMENT}{name} in the environment of `up` does too."
            problems.append(
                positions.problem(at, f"the secret {name}, which is not set", "a secret that is set", hint)
            )
        else:
            digests[name] = secrets.vault.digest(name, value)
    problems += _unfilled(declared, groups)
    if problems:
        raise SpecError(sorted(problems, key=lambda problem: (problem.line, problem.column)))
    return Captured(groups, digests), brought


def _looked_up(
    name: str, caller: Mapping[str, str], secrets: Secrets, own: Mapping[str, str], brought: dict[str, str]
) -> str | None:
    """A secret's value, from the caller, who had it last, or from where it is kept; what is new is put into `brought`."""
    variable = f"{FROM_ENVIRONMENT}{name}"
    value = caller.get(variable)
    if value is None:
        found = secrets.find(name)
        if found is not None:
            return found.text
        value = own.get(variable)
    if value is not None:
        refuse_unfit(name, value)
        brought[name] = value
    return value


def keep(brought: Mapping[str, str], secrets: Secrets, book: Book, actor: str) -> None:
    """Keep the secrets that a caller brought; raises UsageError for one that cannot be masked."""
    for name, value in brought.items():
        now = time.time()
        changed = secrets.vault.set(name, value, "environment", actor, now)
        body = {"name": name, "source": "environment", "digest": secrets.vault.digest(name, value)}
        with book.locked():
            # Also where it was the same: it may have been kept just before a crash, and the fact not.
            if changed or not _on_record(book.view, name, body):
                book.append("secret.set", "", name, body, actor, now)


def _on_record(view: View, name: str, body: Mapping[str, str]) -> bool:
    """Whether the newest fact about a secret says this of it."""
    told, removed = view.mark("secret.set", name), view.mark("secret.removed", name)
    gone = told is not None and removed is not None and removed.sequence > told.sequence
    return told is not None and not gone and told.body == body


def _files(spec: Workload, folder: Path) -> dict[str, dict[str, str]]:
    return {
        name: _dotenv(folder, group.file)
        for name, group in spec.variable_groups.items()
        if group.file is not None
    }


def _dotenv(folder: Path, path: str) -> dict[str, str]:
    """The variables of a dotenv file; raises SpecError for each line that is none."""
    from dotenv.parser import parse_stream  # only here: few specs have such a file

    try:
        text = (folder / path).read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        found = "bytes that are not UTF-8"
        raise SpecError(
            [Problem(path, 1, 1, "", found, "text in UTF-8", "Save the file as UTF-8.")]
        ) from None
    found_, problems = {}, []
    for binding in parse_stream(io.StringIO(text)):
        line = (
            binding.original.line + len(binding.original.string) - len(binding.original.string.lstrip("\n"))
        )
        if binding.error or (binding.key is not None and binding.value is None):
            shown = quoted(binding.original.string.strip().partition("=")[0])
            problems.append(
                Problem(path, line, 1, "", f"a line that begins with {shown}", "lines `NAME=value`")
            )
        elif binding.key is not None:
            found_[binding.key] = binding.value or ""
    if problems:
        raise SpecError(problems)
    return found_


def _of_caller(
    group: VariableGroup, caller: Mapping[str, str]
) -> tuple[dict[str, str], list[tuple[str, str]]]:
    """The group's variables, and what is wrong: found, expected."""
    if group.prefix is not None:
        found = {name: value for name, value in sorted(caller.items()) if name.startswith(group.prefix)}
        return found, []
    names = group.names or ()
    missing = [
        (f"the variable {name}, which is not in the environment of `up`", "a variable that is there")
        for name in names
        if name not in caller
    ]
    return {name: caller[name] for name in names if name in caller}, missing


def _unfit(variables: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name, value in variables.items():
        fault = unfit_name(name) or unfit_value(value)
        if fault:
            yield f"the variable {quoted(name)}", fault.removeprefix("expected ")


def _secret_places(spec: Workload, groups: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """Every secret that is referred to: its name, and the first place in the spec that does."""
    parts = {f"variable_groups.{name}": variables for name, variables in groups.items()}
    parts |= {"variables": spec.variables, "training.variables": spec.training.variables}
    parts |= {f"environments.{name}.variables": one.variables for name, one in spec.environments.items()}
    places: dict[str, str] = {}
    for part, variables in parts.items():
        for variable, secret in referred(variables).items():
            places.setdefault(secret, part if part.startswith("variable_groups") else f"{part}.{variable}")
    return places


def _unfilled(declared: Declared, groups: Mapping[str, Mapping[str, str]]) -> list[Problem]:
    """Commands that name a variable which no group brought, or which a group brought as a secret."""
    spec = declared.spec
    known: dict[str, Any] = {}
    for name, group in spec.variable_groups.items():
        known |= groups.get(name, {}) if group.environments is None else {}
    known |= {**spec.variables, **spec.training.variables}
    plain = {name for name in known if name not in referred(known)}
    commands = {"training.command": spec.training.command}
    commands |= {f"pipeline.tasks.{name}.command": task.command for name, task in spec.pipeline.tasks.items()}
    return [
        declared.positions.problem(
            at, f"the placeholder {quoted(f'{{{inner}}}')}", "a plain variable that training sees"
        )
        for at, command in commands.items()
        for inner in dict.fromkeys(placeholders(command))
        if inner.startswith("variables.") and inner.removeprefix("variables.") not in plain
    ]
