"""Known traps: specs that are valid, and that will not do what their writer wants. `validate` and `up` show them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from loopwright.spec.approval_traps import every_yes_is_needed, nobody_is_asked
from loopwright.spec.cases import CasesFile
from loopwright.spec.complaints import quoted
from loopwright.spec.gate_traps import (
    Found,
    always_passes,
    champion_alone,
    no_gates,
    slice_is_label,
    wrong_way,
)
from loopwright.spec.models import Workload
from loopwright.spec.outline import placeholders, words
from loopwright.spec.positions import Positions
from loopwright.spec.serving_traps import (
    beyond_capacity,
    grpc_wakes_nobody,
    idle_workers,
    long_queue_wait,
    model_not_written,
    never_at_zero,
    one_replica,
    open_to_all,
)

_FEWEST = 100  # requests whose 99th percentile is not just the slowest one
_SHELL = re.compile(r"&&|\|\|?|;|[0-9]?>>?|<|&")


@dataclass(frozen=True)
class SpecWarning:
    """A trap: a stable code, the place, and what to do. Line and column are 0 where no places were given."""

    code: str
    file: str
    line: int
    column: int
    path: str
    message: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}: " if self.line else ""
        return f"{place}{self.path}: {self.message} [{self.code}]"


@dataclass(frozen=True)
class Trap:
    """One kind of trap: its code, when it is one (for the reference), and where a spec has it: path and message."""

    code: str
    when: str
    find: Callable[[Workload], Found]


def warnings(
    workload: Workload,
    positions: Positions | None = None,
    cases: CasesFile | None = None,
    case_positions: Positions | None = None,
) -> tuple[SpecWarning, ...]:
    """The traps in a spec, and in its functional cases where these are given; with lines where places are given."""
    found = [
        _warning(trap.code, path, message, positions)
        for trap in TRAPS
        for path, message in trap.find(workload)
    ]
    for code, path, message in _of_cases(cases) if cases else ():
        place = path if case_positions else "tests.functional"
        found.append(_warning(code, place, message, case_positions or positions))
    return tuple(found)


def _warning(code: str, path: str, message: str, positions: Positions | None) -> SpecWarning:
    line, column = positions.at(path) if positions else (0, 0)
    return SpecWarning(code, positions.file if positions else "", line, column, path, message)


def _few_requests(spec: Workload) -> Found:
    stress = spec.tests.stress
    if stress is None:
        return
    if stress.requests < stress.concurrency:
        yield (
            "tests.stress.requests",
            f"{stress.requests} requests never reach the concurrency of {stress.concurrency}. Ask for at least "
            f"{max(_FEWEST, 10 * stress.concurrency)}.",
        )
    elif stress.requests < _FEWEST:
        yield (
            "tests.stress.requests",
            f"The 99th percentile of {stress.requests} requests is just the slowest one. Ask for at least {_FEWEST}.",
        )


def _any_failure(spec: Workload) -> Found:
    if spec.tests.stress is not None and spec.tests.stress.max_error_rate == 1:
        yield (
            "tests.stress.max_error_rate",
            "Every request may fail, so the stress test shows nothing. Set it to 0%.",
        )


def _no_stress(spec: Workload) -> Found:
    if spec.tests.stress is None:
        yield (
            "tests.stress",
            "No stress test: the first load that it meets is production's. Add `tests.stress`.",
        )


def _no_functional(spec: Workload) -> Found:
    if spec.tests.functional is None:
        yield (
            "tests.functional",
            "No functional tests: nothing checks that the deployed model answers rightly. Add `tests.functional`.",
        )


def _no_approval(spec: Workload) -> Found:
    if all(environment.approval.count == 0 for environment in spec.environments.values()):
        last = list(spec.environments)[-1]
        yield (
            f"environments.{last}",
            f"No person says yes before {last}: whatever passes the gates and tests goes out. Set `approval: required`.",
        )


def _shell(spec: Workload) -> Found:
    tasks = {f"pipeline.tasks.{name}.command": task.command for name, task in spec.pipeline.tasks.items()}
    for path, command in {"training.command": spec.training.command, **tasks}.items():
        found = next((word for word in words(command) or () if _SHELL.fullmatch(word)), None)
        if found is not None:
            yield (
                path,
                f"{quoted(found)} is passed to the program as it is: the command runs without a shell. Put such steps into a script.",
            )


def _unused(spec: Workload) -> Found:
    named = placeholders(spec.training.command)
    for name in spec.data:
        if f"data.{name}.train" not in named:
            yield (
                "training.command",
                f"The command does not name `{{data.{name}.train}}`, so it cannot know its rows. Pass it as an argument.",
            )
    if "outputs" not in named:
        yield (
            "training.command",
            "The command does not name `{outputs}`, so it cannot know where the model goes. Pass it as an argument.",
        )


TRAPS = (
    Trap("queue-wait", "`queue_wait` is longer than `timeout`", long_queue_wait),
    Trap(
        "stress-requests", "a stress test has fewer requests than its concurrency, or than 100", _few_requests
    ),
    Trap(
        "stress-capacity",
        "a stress test's concurrency is beyond what the replicas work on and queue",
        beyond_capacity,
    ),
    Trap("stress-failures", "a stress test lets every request fail", _any_failure),
    Trap("no-stress", "there is no stress test before production", _no_stress),
    Trap("no-functional", "there are no functional tests", _no_functional),
    Trap("no-gates", "there are no gates", no_gates),
    Trap(
        "champion-alone",
        "all gates compare with the champion, which a first version does not have",
        champion_alone,
    ),
    Trap("slice-label", "a gate's slice is the label", slice_is_label),
    Trap("gate-always-passes", "a gate's bounds hold for every value of its metric", always_passes),
    Trap("gate-wrong-way", "a gate's only bound refuses the better models", wrong_way),
    Trap("one-replica", "`replicas.min` is 1", one_replica),
    Trap("never-at-zero", "`scale_to_zero_after` stands beside a `min` above 0", never_at_zero),
    Trap(
        "model-not-written",
        "the training command writes other outputs than `serving.model`",
        model_not_written,
    ),
    Trap("idle-workers", "workers are declared for a model that must be compiled", idle_workers),
    Trap("no-approval", "no environment asks for an approval", _no_approval),
    Trap(
        "approval-of-all",
        "`not_author` stands, and everybody in `by` has to say yes",
        every_yes_is_needed,
    ),
    Trap("approval-of-nobody", "`count` is 0 beside other fields of an approval", nobody_is_asked),
    Trap("grpc-asleep", "`grpc` stands beside a `min` of 0", grpc_wakes_nobody),
    Trap("open-endpoint", "`auth` is `none`", open_to_all),
    Trap("shell-syntax", "the training command, or a task's, has `&&`, `|`, `>` or the like", _shell),
    Trap("unused-placeholder", "the training command does not name its rows or `{outputs}`", _unused),
)
"""All traps of the spec, in the order in which they are shown."""

CASE_TRAPS = (
    ("cases-check-nothing", "no functional case checks an answer"),
    ("case-status-only", "a functional case expects success and looks at nothing but the status"),
)


def _of_cases(file: CasesFile) -> Iterator[tuple[str, str, str]]:
    if not any(case.expect.checks_answer for case in file.cases):
        yield (
            "cases-check-nothing",
            "cases",
            "No case checks an answer, so a model that answers nonsense passes. Add `values` or `schema` to the cases that expect success.",
        )
        return
    for index, case in enumerate(file.cases):
        if 200 <= case.expect.status < 300 and not case.expect.checks_answer:
            yield (
                "case-status-only",
                f"cases.{index}",
                f"The case {quoted(case.name)} passes whatever the answer says. Add `values` or `schema` to what it expects.",
            )
