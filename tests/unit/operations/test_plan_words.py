"""What a plan says, as sentences."""

from __future__ import annotations

from typing import Any

import pytest

from loopwright.ledger import Fact
from loopwright.loop.case import Case
from loopwright.loop.differences import Difference
from loopwright.loop.foresight import Foreseen, Foresight
from loopwright.loop.steps import Step
from loopwright.loop.steps.deploy import DeployStep
from loopwright.operations.plan_words import in_short, last_line, who, why
from loopwright.release import Rule


class Named(Step):
    """A step that is only named."""

    def __init__(self, name: str) -> None:
        self.name = name

    def inputs(self, case: Case) -> dict[str, Any]:
        raise NotImplementedError


def of(change: str) -> Fact:
    return Fact(1, 0.0, 1, "step.succeeded", "toy", "k", "ada", {"change": change}, "", "")


def foreseen(name: str, deed: Any, certain: bool = True, **more: Any) -> Foreseen:
    return Foreseen(Named(name), deed, certain, **more)


def entering(deed: Any) -> Foreseen:
    return Foreseen(DeployStep("prod", ()), deed, True)


def all_of(*steps: Foreseen) -> Foresight:
    case: Any = None
    return Foresight(case, steps)


def test_the_last_line_counts_what_is_done() -> None:
    foresight = all_of(
        foreseen("data", "nothing"),
        foreseen("train", "run"),
        foreseen("package", "run", certain=False),
        foreseen("approval", "ask", certain=False),
        foreseen("prod", "release"),
    )
    assert last_line(foresight, 1) == (
        "Plan: 1 step runs, 1 may run, 1 unchanged, up to 1 approval, 1 release, 1 left as it is. "
        "Run `loopwright up` to do it."
    )


def test_nothing_to_do_is_said() -> None:
    assert last_line(all_of(foreseen("data", "nothing")), 0).startswith("No changes:")


def test_what_is_held_is_said_with_what_to_do() -> None:
    assert "`loopwright up --again`" in last_line(all_of(entering("hold")), 0)


def test_what_waits_for_a_hand_or_cannot_enter_is_said() -> None:
    assert "prod comes by `loopwright promote`" in last_line(all_of(entering("promote")), 0)
    assert "1 step runs, 0 unchanged" in last_line(all_of(foreseen("train", "run"), entering("stop")), 0)
    assert "stops before prod" in last_line(all_of(foreseen("train", "run"), entering("stop")), 0)


def test_one_line_tells_what_is_to_do_and_what_not() -> None:
    foresight = all_of(
        foreseen("data", "nothing"), foreseen("train", "run"), foreseen("prod", "release", certain=False)
    )
    assert in_short(foresight) == "train to do; prod to do if what they need is new; data unchanged"


@pytest.mark.parametrize(
    ("step", "differences", "told"),
    [
        (foreseen("a", "run"), [], "for the first time"),
        (foreseen("a", "run", since=of("toy-1"), lost=True), [], "its files are gone"),
        (
            foreseen("a", "run", since=of("toy-1")),
            [Difference("serving.limits.timeout", "changed", 5.0, 0.5), Difference("a.py", "added")],
            "serving.limits.timeout 5s -> 500ms, a.py added since toy-1",
        ),
        (
            foreseen("a", "run", certain=False, since=of("toy-1"), awaits=(("train", "model"),)),
            [],
            "unless train brings what was there before",
        ),
        (foreseen("a", "run", since=of("toy-1"), awaits=(("train", "run"),)), [], "follows train"),
        (foreseen("a", "run", since=of("toy-1"), failed=of("toy-2")), [], "failed with just these inputs in toy-2"),
        (foreseen("a", "nothing", reuses=of("toy-1"), message="12 rows\nmore"), [], "as in toy-1; 12 rows"),
        (foreseen("a", "nothing", reuses=of("toy-3"), message="12 rows"), [], "12 rows"),
        (foreseen("a", "ask", under_way=True, message="waiting for ada"), [], "under way, waiting for ada; for the first time"),
    ],
)  # fmt: skip
def test_each_step_says_why(step: Foreseen, differences: list[Difference], told: str) -> None:
    assert why(step, "toy-3", differences, known=True) == told


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        (Rule(), "waits until a person says yes"),
        (Rule(2, ("ada", "@ops"), True), "waits until 2 people of ada, @ops other than the author say yes"),
    ],
)
def test_whose_yes_is_needed_is_said(rule: Rule, told: str) -> None:
    assert who(rule) == told


def test_many_differences_are_counted() -> None:
    many = [Difference(f"f{n}.py", "changed") for n in range(9)]
    assert why(foreseen("a", "run", since=of("toy-1")), "toy-2", many, True).endswith(
        "and 3 more since toy-1"
    )
