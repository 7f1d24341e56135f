"""What becomes of an approval: a pure decision from the rule, what was asked for, and what people have said.

An approval holds for exactly what was asked: the package, what will be released of it, and the version that it replaces.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Rule:
    """Whose yes is needed."""

    count: int = 1  # different people
    by: tuple[str, ...] = ()  # users, or @group; anybody where empty
    not_author: bool = False
    expires: float = 7 * 86_400.0  # seconds from the asking

    @property
    def plain(self) -> bool:
        """Whether any one person will do, so that a yes may be given in advance."""
        return self.count <= 1 and not self.by and not self.not_author


@dataclass(frozen=True)
class Vote:
    """What one person has said."""

    actor: str
    approve: bool


@dataclass(frozen=True)
class Waiting:
    """More people have to say yes."""

    given: tuple[str, ...]
    missing: int


@dataclass(frozen=True)
class Granted:
    """Enough have said yes."""

    by: tuple[str, ...]


@dataclass(frozen=True)
class Refused:
    """One has said no."""

    by: str


@dataclass(frozen=True)
class Void:
    """It holds no longer, and has to be asked for anew."""

    expired: bool
    reason: str


Verdict = Waiting | Granted | Refused | Void


def verdict(
    rule: Rule,
    asked_at: float,
    asked: Mapping[str, object] | None,
    terms: Mapping[str, object],
    votes: Sequence[Vote],
    now: float,
) -> Verdict:
    """Decide. `asked` are the terms as they were when it was asked for (None: of release 0.1, which kept none), `terms`
    those of now; times are seconds since the epoch."""
    refusal = next((vote.actor for vote in votes if not vote.approve), None)
    if refusal is not None:
        return Refused(refusal)
    if asked is not None and dict(asked) != dict(terms):
        return Void(False, _changed(asked, terms))
    if now > asked_at + rule.expires:
        return Void(True, "it was not released in time")
    given = tuple(dict.fromkeys(vote.actor for vote in votes))
    return Granted(given) if len(given) >= rule.count else Waiting(given, rule.count - len(given))


def _changed(asked: Mapping[str, object], terms: Mapping[str, object]) -> str:
    if asked.get("champion") != terms.get("champion"):
        return "another release has come there since it was asked for"
    return "what is to be released there is no longer what was asked for"


def hindrance(
    rule: Rule, actor: str, groups: Collection[str], authors: Collection[str], approve: bool
) -> str:
    """Why this person may not decide, as a sentence; empty where they may. `groups` are those that they belong to."""
    named = [name for name in rule.by if name == actor or (name.startswith("@") and name[1:] in groups)]
    if rule.by and not named:
        return f"{actor} may not decide it: that is for {_listed(rule.by)}."
    if approve and rule.not_author and actor.lower() in {author.lower() for author in authors}:
        others = f" of {_listed(rule.by)}" if rule.by else ""
        return f"{actor} has made this change or asked for it, and somebody else{others} has to say yes."
    return ""


def _listed(names: Sequence[str]) -> str:
    told = [f"the group {name[1:]}" if name.startswith("@") else name for name in names]
    return f"{', '.join(told[:-1])} or {told[-1]}" if len(told) > 1 else told[0]
