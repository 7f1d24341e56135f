"""What `plan` says, as sentences: one for each step, and the last line. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from loopwright.loop.differences import Difference
from loopwright.loop.foresight import Foreseen, Foresight
from loopwright.release import Rule
from loopwright.spec import Workload
from loopwright.spec.fields import written

_MOST = 6  # differences that a line tells
_LONGEST = 40  # characters of a value in a line
DOES = {
    "nothing": "unchanged",
    "run": "runs",
    "ask": "asks",
    "release": "releases",
    "start": "starts",
    "hold": "held",
    "promote": "by hand",
    "stop": "stops",
}
_MAY = {"run": "may run", "ask": "may ask", "release": "may release"}


def does(foreseen: Foreseen) -> str:
    """What is done for a step, in a word or two."""
    return DOES[foreseen.deed] if foreseen.certain else _MAY[foreseen.deed]


def why(foreseen: Foreseen, change: str, differences: Sequence[Difference], known: bool) -> str:
    """Why that is done; `known` says whether the inputs of the earlier result could be worked out."""
    first = foreseen.message.splitlines()[0] if foreseen.message else ""
    if foreseen.deed == "nothing":
        of = str(foreseen.reuses.body["change"]) if foreseen.reuses else change
        return first if of == change else "; ".join(filter(None, [f"as in {of}", first]))
    if foreseen.deed in ("hold", "promote", "stop"):
        return first
    if foreseen.deed == "start":
        return f"released by {foreseen.reuses.body['change']}, not running now" if foreseen.reuses else ""
    now = f"under way{f', {first}' if first else ''}" if foreseen.under_way else ""
    reasons = [now, _of_earlier(foreseen, differences, known), _of_awaited(foreseen)]
    return "; ".join(reason for reason in reasons if reason)


def who(rule: Rule) -> str:
    """Whose yes is needed."""
    people = "a person" if rule.count == 1 else f"{rule.count} people"
    of = f" of {', '.join(rule.by)}" if rule.by else ""
    author = " other than the author" if rule.not_author else ""
    verb = "say" if rule.count > 1 else "says"
    return f"waits until {people}{of}{author} {verb} yes"


def _of_earlier(foreseen: Foreseen, differences: Sequence[Difference], known: bool) -> str:
    since = foreseen.since
    if foreseen.step.each_change:
        return "at the end of each change" if foreseen.step.always else "for each change"
    if foreseen.lost:
        return "its files are gone"
    if foreseen.failed is not None:
        return f"failed with just these inputs in {foreseen.failed.body['change']}"
    if since is None:
        return "for the first time"
    if differences:
        return f"{_listed(differences)} since {since.body['change']}"
    if foreseen.awaits:
        return ""
    if not known:
        return f"not as in {since.body['change']}, whose inputs are not kept any more"
    return f"this version of Loopwright does it in another way than it was for {since.body['change']}"


def _listed(differences: Sequence[Difference]) -> str:
    told = [_difference(difference) for difference in differences[:_MOST]]
    rest = len(differences) - _MOST
    return ", ".join(told) + (f" and {rest} more" if rest > 0 else "")


def _difference(difference: Difference) -> str:
    if difference.how == "changed" and difference.before is not None and difference.after is not None:
        before, after = (_value(difference.what, value) for value in (difference.before, difference.after))
        return f"{difference.what} {before} -> {after}"
    if difference.how == "added" and difference.after is not None:
        return f"{difference.what} {_value(difference.what, difference.after)} added"
    return f"{difference.what} {difference.how}"


def _value(what: str, value: Any) -> str:
    text = written(Workload, what, value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _of_awaited(foreseen: Foreseen) -> str:
    steps = ", ".join(dict.fromkeys(step for step, _ in foreseen.awaits))
    if not steps or foreseen.since is None or foreseen.step.each_change:
        return ""
    return f"follows {steps}" if foreseen.certain else f"unless {steps} brings what was there before"


def last_line(foresight: Foresight, left: int) -> str:
    """What all of it comes to."""
    held, by_hand = foresight.environments("hold"), foresight.environments("promote")
    if held:
        again = "`loopwright up --again` releases it anew as it is"
        return f"Held: rolled back from {', '.join(held)}. Change what was wrong, or {again}."
    if foresight.nothing and by_hand:
        return f"No changes by `loopwright up`: {', '.join(by_hand)} comes by `loopwright promote`."
    if foresight.nothing:
        return "No changes: all of it is as declared, and serves."
    runs, may = _count(foresight, "run", True), _count(foresight, "run", False)
    stops = foresight.environments("stop")
    starts = _count(foresight, "start", True)
    parts = [
        _many(runs, "step runs", "steps run"),
        _many(may, "may run", "may run") if may else "",
        f"{_count(foresight, 'nothing', True)} unchanged",
        _up_to(foresight, "ask", "approval"),
        _up_to(foresight, "release", "release"),
        _many(starts, "starts again", "start again") if starts else "",
        f"{len(by_hand)} by hand" if by_hand else "",
        f"stops before {', '.join(stops)}" if stops else "",
        f"{left} left as it is" if left else "",
    ]
    return f"Plan: {', '.join(part for part in parts if part)}. Run `loopwright up` to do it."


def _many(count: int, one: str, more: str) -> str:
    return f"{count} {one if count == 1 else more}"


def _up_to(foresight: Foresight, deed: str, noun: str) -> str:
    sure, may = _count(foresight, deed, True), _count(foresight, deed, False)
    words = _many(sure + may, noun, f"{noun}s")
    return f"up to {words}" if may else words


def _count(foresight: Foresight, deed: str, certain: bool) -> int:
    return sum(1 for step in foresight.steps if step.deed == deed and step.certain is certain)


def in_short(foresight: Foresight) -> str:
    """One line: which steps are done and which are not."""
    groups = [
        (_names(foresight, ("run", "ask", "release"), True), "to do"),
        (_names(foresight, ("run", "ask", "release"), False), "to do if what they need is new"),
        (_names(foresight, ("start",), True), "to start again"),
        (_names(foresight, ("nothing",), True), "unchanged"),
    ]
    return "; ".join(f"{', '.join(names)} {what}" for names, what in groups if names)


def _names(foresight: Foresight, deeds: tuple[str, ...], certain: bool) -> list[str]:
    return [s.step.name for s in foresight.steps if s.deed in deeds and s.certain is certain]
