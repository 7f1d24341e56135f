"""What happened: the ledger's facts, filtered, and whether they are as they were written."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from itertools import islice
from typing import Any

from loopwright.errors import UsageError
from loopwright.ledger import Fact, Ledger, Query
from loopwright.operations.naming import pick
from loopwright.operations.telling import utc

_PAGE = 2_000  # facts read at once while looking for those that match
_DEEPEST = 3  # objects inside of objects in which an object's name is looked for
_SHORTEST_DIGEST = 4  # characters that are taken for a digest's beginning
_LEAST_DIGEST = 32  # characters of what is one: run ids have so many


@dataclass(frozen=True)
class Wish:
    """Which facts: None matches all."""

    workload: str | None = None  # its beginning is enough
    since: float | None = None  # seconds since the epoch
    until: float | None = None
    actor: str | None = None
    object: str | None = None  # a key, an environment, a version such as titanic:17, or a digest's beginning
    kind: str | None = None  # such as release.completed, or release.*
    limit: int = 50


def history(ledger: Ledger, wish: Wish) -> dict[str, Any]:
    """The newest facts that match, oldest of them first, and whether there are more.

    Raises UsageError for a time that ends before it begins.
    """
    if wish.since is not None and wish.until is not None and wish.since > wish.until:
        raise UsageError(
            f"--since ({utc(wish.since)}) is later than --until ({utc(wish.until)}), so no fact can match. Exchange the two."
        )
    workload, colon, number = (wish.workload or "").partition(":")
    if colon and wish.object is None:  # `titanic:17` names both
        workload = pick(workload, filter(None, ledger.distinct("workload")), "workload")
        wish = replace(wish, workload=workload, object=f"{workload}:{number}")
    found = list(islice(_matching(ledger, wish), wish.limit + 1))
    shown = [_told(fact) for fact in reversed(found[: wish.limit])]
    answer = {"facts": shown, "more": len(found) > wish.limit}
    return answer if shown else answer | {"hint": _hint(ledger, wish)}


def _matching(ledger: Ledger, wish: Wish) -> Iterator[Fact]:
    """Newest first."""
    query = _query(ledger, wish)
    version = _version(wish.object or "")
    if version is not None:
        yield from _of_version(ledger, query, *version)
    elif wish.object is None:
        yield from _pages(ledger, query)
    else:
        name = wish.object.removeprefix("sha256:")
        yield from (fact for fact in _pages(ledger, replace(query, mentions=(name,))) if concerns(fact, name))


def _query(ledger: Ledger, wish: Wish) -> Query:
    """What the store can decide by itself."""
    kinds = None
    if wish.kind is not None:
        kinds = tuple(kind for kind in ledger.distinct("kind") if fnmatchcase(kind, wish.kind))
    workload = wish.workload and pick(wish.workload, filter(None, ledger.distinct("workload")), "workload")
    return Query(
        workload=workload or None,
        kinds=kinds,
        actor=wish.actor,
        since=wish.since,
        until=wish.until,
        newest_first=True,
    )


def _pages(ledger: Ledger, query: Query) -> Iterator[Fact]:
    while True:
        page = ledger.find(replace(query, limit=_PAGE))
        yield from page
        if len(page) < _PAGE:
            return
        query = replace(query, before=page[-1].sequence)


def _of_version(ledger: Ledger, query: Query, workload: str, number: int) -> Iterator[Fact]:
    """What names the version, and the decisions about it, which name only what was asked for."""
    if query.workload not in (None, workload):
        return
    mine = replace(query, workload=workload, mentions=(f'"version":{number}',))
    found = [fact for fact in _pages(ledger, mine) if number in _versions(fact)]
    asked = Query(kind="approval.requested", workload=workload, mentions=mine.mentions)
    keys = tuple(fact.key for fact in ledger.find(asked) if number in _versions(fact))
    for kind in ("approval.decided", "approval.voided", "approval.expired"):
        about = ledger.find(replace(query, workload=workload, kind=kind, mentions=keys))
        found += [fact for fact in about if fact.key in keys]
    yield from sorted(found, key=lambda fact: fact.sequence, reverse=True)


def concerns(fact: Fact, name: str) -> bool:
    """Whether a fact is about an object: by its key, or by what its body names."""
    words = fact.key.replace("@", "/").split("/")
    if name == fact.key or name in words or any(word.startswith((f"{name}-", f"{name}.")) for word in words):
        return True
    return any(_is(value, name) for value in _texts(fact.body, 0))


def _version(name: str) -> tuple[str, int] | None:
    workload, colon, number = name.rpartition(":")
    return (workload, int(number)) if colon and number.isdigit() else None


def _versions(fact: Fact) -> tuple[Any, ...]:
    return (fact.body.get("version"), (fact.body.get("output") or {}).get("version"))


def _is(value: str, name: str) -> bool:
    if value == name:
        return True
    digest = value.removeprefix("sha256:")
    return len(name) >= _SHORTEST_DIGEST and len(digest) >= _LEAST_DIGEST and digest.startswith(name)


def _texts(value: Any, depth: int) -> Iterator[str]:
    """The texts of an object and of those in it; lists hold columns and cases, which are nobody's names."""
    for part in value.values():
        if isinstance(part, str):
            yield part
        elif isinstance(part, dict) and depth + 1 < _DEEPEST:
            yield from _texts(part, depth + 1)


def _hint(ledger: Ledger, wish: Wish) -> str:
    """What there is, where nothing matches."""
    if wish.kind is not None:
        return f"Kinds here: {', '.join(ledger.distinct('kind')) or 'none yet'}."
    if wish.actor is not None:
        return f"Actors here: {', '.join(ledger.distinct('actor')) or 'none yet'}."
    return ""


def _told(fact: Fact) -> dict[str, Any]:
    return {
        "sequence": fact.sequence,
        "time": utc(fact.time),
        "kind": fact.kind,
        "workload": fact.workload,
        "key": fact.key,
        "actor": fact.actor,
        "summary": _summary(fact),
        "body": fact.body,
        "hash": fact.hash,
    }


_TOLD = (
    *(
        "step",
        "environment",
        "version",
        "decision",
        "comment",
        "message",
        "reason",
        "by",
        "run",
        "code",
        "auto",
    ),
    "commit",
)
_OF_OUTPUT = ("version", "run")


def _summary(fact: Fact) -> str:
    output = fact.body.get("output") or {}
    told = fact.body | {name: output[name] for name in _OF_OUTPUT if name in output}
    return " ".join(
        f"{name}={_short(told[name])}" for name in _TOLD if told.get(name) not in (None, "", False)
    )


def _short(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    first = text.splitlines()[0] if text else ""
    return first if len(first) <= 80 else first[:79] + "…"


def verify(ledger: Ledger) -> dict[str, Any]:
    """Check every entry's hash, the chain, and the signed head outside the database."""
    found = ledger.verify()
    return {"ok": found.ok, "entries": found.entries, "broken": found.broken, "sentence": found.sentence}
