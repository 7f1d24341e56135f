"""How an approval that was asked for stands, how that is told, and what may not be asked for at all."""

from __future__ import annotations

from loopwright.ledger import Fact
from loopwright.loop.case import Case
from loopwright.loop.change import Change
from loopwright.loop.steps import ApprovalStep, Entering
from loopwright.release import Rule, Verdict, Vote, Waiting, verdict


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
