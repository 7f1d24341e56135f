"""Say yes or no where a release waits for people."""

from __future__ import annotations

import grp
import pwd
import time
from contextlib import suppress
from typing import Any

from loopwright.errors import ConflictError, NotFoundError
from loopwright.ledger import Fact
from loopwright.loop.case import Case
from loopwright.loop.steps.approval import authors_of, rule_of
from loopwright.loop.transfers import change_of
from loopwright.loop.view import View
from loopwright.operations.control import ControlPlane
from loopwright.release import Rule, hindrance
from loopwright.spec import Workload


def require_plain(spec: Workload) -> None:
    """Raises ConflictError where an environment asks for more than one person's yes: none can be given in advance."""
    for name, environment in spec.environments.items():
        approval = environment.approval
        if environment.protected and approval.count:
            raise ConflictError(
                f"{name} is protected (environments.{name}.protected), so nobody's yes to a release there is given in advance: "
                "leave --auto-approve out, and run `loopwright approve` when it asks."
            )
        if approval.plain:
            continue
        asks = f"{approval.count} people" if approval.count > 1 else "a person"
        who = f" of {', '.join(approval.by)}" if approval.by else ""
        author = " other than the author" if approval.not_author else ""
        raise ConflictError(
            f"environments.{name}.approval asks for the yes of {asks}{who}{author}, which --auto-approve cannot give. "
            "In CI run `loopwright up --no-wait`; they then say yes with `loopwright approve`, and the release goes on by itself."
        )


def unmet(spec: Workload) -> list[str]:
    """Rules that too few people of this system can meet, each as a sentence: who decides is known by their user here."""
    found = []
    for name, environment in spec.environments.items():
        rule = environment.approval
        known = sorted({person for one in rule.by or () for person in _people(one)})
        if rule.by and len(known) < rule.count:
            who = f"{rule.count} people" if rule.count > 1 else "one"
            found.append(
                f"environments.{name}.approval asks for the yes of {who} of {', '.join(rule.by)}, and this system knows "
                f"{', '.join(known) if known else 'none'} of them. Who decides has to be a user here. [approval-unknown]"
            )
    return found


def _people(name: str) -> set[str]:
    """The users of this system that an entry of `by` names."""
    if not name.startswith("@"):
        with suppress(KeyError):
            return {pwd.getpwnam(name).pw_name}
        return set()
    with suppress(KeyError):
        group = grp.getgrnam(name[1:])
        return {*group.gr_mem, *(user.pw_name for user in pwd.getpwall() if user.pw_gid == group.gr_gid)}
    return set()


def decide(control: ControlPlane, approval: str, decision: str, comment: str, actor: str) -> dict[str, Any]:
    """Record a person's yes (`approve`) or no (`reject`).

    Raises NotFoundError, and ConflictError where it is too late or not this person's to decide.
    """
    book, now = control.book, time.time()
    with book.locked():
        asked = book.view.approvals.get(approval)
        if asked is None:
            raise NotFoundError(f"No approval {approval} has been asked for. {_waiting(book.view)}")
        case = _case(control, asked)
        rule = rule_of(case.spec, asked.body["environment"])
        _require_open(book.view, asked, rule, now)
        member = groups(actor)
        why = hindrance(rule, actor, member, authors_of(case), decision == "approve")
        if why:
            raise ConflictError(
                f"{approval}: {why} environments.{asked.body['environment']}.approval says so."
            )
        said = [fact for fact in book.view.decisions.get(approval, []) if fact.actor == actor]
        if said and decision == "approve":
            raise ConflictError(
                f"{actor} has said yes to {approval} already; {rule.count} different people have to."
            )
        entitled = [name for name in rule.by if name.startswith("@") and name[1:] in member]
        body = {"decision": decision, "comment": comment, "auto": False, "as": entitled}
        book.append("approval.decided", asked.workload, approval, body, actor, now)
        given = {fact.actor for fact in book.view.decisions.get(approval, [])}
    control.engine.ring()
    return {
        "approval": approval,
        "decision": decision,
        "change": asked.body["change"],
        "environment": asked.body["environment"],
        "missing": max(0, rule.count - len(given)) if decision == "approve" else 0,
    }


def groups(user: str) -> frozenset[str]:
    """The groups of the operating system that a user belongs to."""
    found = {group.gr_name for group in grp.getgrall() if user in group.gr_mem}
    with suppress(KeyError):  # a user without an entry of their own
        found.add(grp.getgrgid(pwd.getpwnam(user).pw_gid).gr_name)
    return frozenset(found)


def _case(control: ControlPlane, asked: Fact) -> Case:
    view, name = control.book.view, asked.body["change"]
    transfer = view.transfers.get(name)
    change = change_of(view, transfer) if transfer else view.changes[name]
    return Case(control.driver.spec(change), change, view, transfer=transfer)


def _require_open(view: View, asked: Fact, rule: Rule, now: float) -> None:
    said, change = view.decisions.get(asked.key, []), asked.body["change"]
    no = next((fact for fact in said if fact.body["decision"] != "approve"), None)
    if no is not None:
        raise ConflictError(
            f"{asked.key} was already rejected by {no.actor}; a decision stands. `loopwright up` asks anew."
        )
    void = view.mark("approval.voided", asked.key) or view.mark("approval.expired", asked.key)
    if void is not None or view.elapsed(asked, now) > rule.expires:
        why = f": {void.body['reason']}" if void else ""
        raise ConflictError(
            f"{asked.key} {'expired' if void is None or void.kind.endswith('expired') else 'is void'}{why}. {_waiting(view)}"
        )
    if _overtaken(view, asked):
        raise ConflictError(
            f"{asked.key} is void: another release serves in {asked.body['environment']} than when it was asked for. It is asked "
            "for anew, under another name, once the change has been evaluated against that; `loopwright status` shows it."
        )
    if view.outcome(change) != "running":
        raise ConflictError(
            f"{asked.key} belongs to {change}, which is no longer under way ({view.outcome(change)}). {_waiting(view)}"
        )
    if len({fact.actor for fact in said}) >= rule.count:
        who = " and ".join(dict.fromkeys(fact.actor for fact in said))
        raise ConflictError(
            f"{asked.key} was already approved by {who}; a decision stands. `loopwright up` asks anew."
        )


def _overtaken(view: View, asked: Fact) -> bool:
    """Whether the champion has changed since: the loop voids the approval when it gets to it, which may take a while."""
    terms = asked.body.get("terms")
    if not terms or "replaces" not in terms:
        return False  # asked for by release 0.1
    champion = view.champion(asked.body["environment"], asked.workload, asked.body["package"])
    return bool((champion.key if champion else None) != terms["replaces"])


def _waiting(view: View) -> str:
    newest: dict[tuple[str, str], str] = {}
    for key, fact in view.approvals.items():
        newest[fact.body["change"], fact.body["environment"]] = key
    settled = {fact.body.get("job") for fact in view.successes.values()}
    waiting = [
        key
        for (change, _), key in newest.items()
        if key not in settled and view.outcome(change) == "running" and not _rejected(view, key)
    ]
    return f"Waiting now: {', '.join(waiting)}." if waiting else "Nothing waits for an approval now."


def _rejected(view: View, approval: str) -> bool:
    return any(fact.body["decision"] != "approve" for fact in view.decisions.get(approval, []))
