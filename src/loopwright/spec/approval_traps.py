"""Traps in the rules of approvals: rules that nobody can meet for some changes, and rules that ask nobody."""

from __future__ import annotations

from collections.abc import Iterator

from loopwright.spec.models import Workload

Found = Iterator[tuple[str, str]]  # path and message


def every_yes_is_needed(spec: Workload) -> Found:
    """Each of those named has to say yes, and one of them may be the author, who may not."""
    for name, environment in spec.environments.items():
        approval = environment.approval
        people = sorted(set(approval.by or ()))
        if not people or not approval.count or not approval.not_author:
            continue
        if len(people) <= approval.count and not any(one.startswith("@") for one in people):
            who = f"Each of {', '.join(people)}" if len(people) > 1 else people[0]
            yield (
                f"environments.{name}.approval.by",
                f"{who} has to say yes, and `not_author` stands: a change of theirs can never be approved. Name more people, "
                "or a group.",
            )


def nobody_is_asked(spec: Workload) -> Found:
    """`count: 0`, with more that then says nothing."""
    for name, environment in spec.environments.items():
        approval = environment.approval
        idle = sorted(approval.model_fields_set - {"count"})
        if approval.count == 0 and idle:
            verb = "says" if len(idle) == 1 else "say"
            yield (
                f"environments.{name}.approval.count",
                f"`count: 0` asks nobody, so {', '.join(f'`{field}`' for field in idle)} {verb} nothing. Set `count: 1`, or "
                "`approval: none`.",
            )
