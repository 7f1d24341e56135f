"""How an approval that was asked for stands, how that is told, and what may not be asked for at all."""

from __future__ import annotations

from loopwright.ledger import Fact
from loopwright.loop.actions import Ask, Settle
from loopwright.loop.case import Case
from loopwright.loop.change import Change
from loopwright.loop.steps import ApprovalStep, Entering
from loopwright.loop.walk import Walk
from loopwright.release import Rule, Verdict, Void, Vote, Waiting, verdict


def standing(case: Case, step: ApprovalStep, asked: Fact, now: float) -> Verdict:
    """What has become of it: its terms are compared with those of now, and what people have said with the rule."""
    votes = [
        Vote(fact.actor, fact.body["decision"] == "approve")
        for fact in case.view.decisions.get(asked.key, [])
    ]
    asked_at = now - case.view.elapsed(asked, now)  # whatever the clock was set to meanwhile
    return verdict(step.rule(case), asked_at, asked.body.get("terms"), step.inputs(case), votes, now)


def next_name(approval: str, name: str) -> str:
    """What an approval is called when it is asked for anew: `titanic-3-prod`, `titanic-3-prod-2`, ..."""
    number = approval.removeprefix(name).removeprefix("-")
    return f"{name}-{int(number or 1) + 1}"


def told(rule: Rule, waiting: Waiting, approval: str) -> str:
    """What an approval waits for, in a line."""
    given = (
        f"{len(waiting.given)} of {rule.count} said yes ({', '.join(waiting.given)}); "
        if waiting.given
        else ""
    )
    more = f" by {waiting.missing} people" if waiting.missing > 1 else ""
    who = f", of {', '.join(rule.by)}" if rule.by else ""
    author = ", not by the author" if rule.not_author else ""
    return f"{given}waiting for: loopwright approve {approval}{more}{who}{author}"


def unclean(change: Change, step: Entering) -> str:
    """Why a change may not enter a protected environment, as a sentence; empty where it may."""
    if not step.protected or change.clean:
        return ""
    found = "had changes that were not committed" if change.commit else "was no git repository with a commit"
    return (
        f"{step.environment} is protected: only what comes from a clean commit is released there, and the folder of "
        f"{change.id} {found}. Commit what is in it, and run `loopwright up`."
    )


def approval(walk: Walk, step: ApprovalStep, inputs: str) -> None:
    case = walk.case
    name = step.approval_id(case)
    asked = case.view.newest_approval(name)
    if asked is None:
        walk.show(step, "approval", "asking", approval=name)
        walk.actions.append(Ask(step, inputs, name))
        return
    found = standing(case, step, asked, walk.now)
    decided = tuple(case.view.decisions.get(asked.key, []))
    if isinstance(found, Void):
        again = next_name(asked.key, name)
        walk.show(step, "approval", f"asking anew: {found.reason}", approval=again)
        walk.actions.append(Ask(step, inputs, again, asked.key, found))
    elif isinstance(found, Waiting):
        rule = step.rule(case)
        walk.show(step, "approval", told(rule, found, asked.key), approval=asked.key)
        if rule.plain and not decided and case.view.automatic(case.change):
            walk.actions.append(Ask(step, inputs, asked.key))
    else:
        walk.show(step, "running")
        walk.actions.append(Settle(step, inputs, asked.key, decided))


def expired(walk: Walk, step: ApprovalStep, success: Fact) -> bool:
    """Whether an approval was given too long ago, for what does not serve yet."""
    return (
        not beyond_asking(walk, step)
        and walk.case.view.elapsed(success, walk.now) > step.rule(walk.case).expires
    )


def beyond_asking(walk: Walk, step: ApprovalStep) -> bool:
    """Whether what would be asked for serves, or did and was rolled back: the release itself says more of that."""
    case, wanted = walk.case, step.wanted(walk.case)
    current = case.view.current(step.environment, case.change.workload)
    serves = current is not None and current.body["inputs"] == wanted
    return serves or (
        case.transfer is None and case.view.rolled_back(step.environment, case.change, wanted) is not None
    )
