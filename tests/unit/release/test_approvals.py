"""Whose yes counts, for what, and for how long."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loopwright.release import Granted, Refused, Rule, Void, Vote, Waiting, hindrance, verdict

TERMS = {"revision": "r", "champion": "c"}
DAY = 86_400.0
PEOPLE = st.sampled_from(["ada", "bob", "carl"])
VOTES = st.lists(st.builds(Vote, PEOPLE, st.booleans()), max_size=6)


def yes(*names: str) -> list[Vote]:
    return [Vote(name, True) for name in names]


@pytest.mark.parametrize(
    ("count", "votes", "expected"),
    [
        (1, [], Waiting((), 1)),
        (1, yes("ada"), Granted(("ada",))),
        (2, yes("ada"), Waiting(("ada",), 1)),
        (2, yes("ada", "ada"), Waiting(("ada",), 1)),
        (2, yes("ada", "bob"), Granted(("ada", "bob"))),
        (2, [*yes("ada"), Vote("bob", False)], Refused("bob")),
    ],
)
def test_so_many_different_people_must_say_yes(count: int, votes: list[Vote], expected: object) -> None:
    assert verdict(Rule(count), 0.0, TERMS, TERMS, votes, 1.0) == expected


def test_it_holds_only_for_what_was_asked() -> None:
    champion = verdict(Rule(), 0.0, TERMS, TERMS | {"champion": "d"}, yes("ada"), 1.0)
    plan = verdict(Rule(), 0.0, TERMS, TERMS | {"revision": "s"}, yes("ada"), 1.0)
    assert champion == Void(False, "another release has come there since it was asked for")
    assert plan == Void(False, "what is to be released there is no longer what was asked for")


def test_one_of_release_0_1_kept_no_terms_and_holds() -> None:
    assert verdict(Rule(), 0.0, None, TERMS, yes("ada"), 1.0) == Granted(("ada",))


def test_it_expires_from_when_it_was_asked_for() -> None:
    rule = Rule(expires=7 * DAY)
    assert verdict(rule, DAY, TERMS, TERMS, yes("ada"), 8 * DAY) == Granted(("ada",))
    assert verdict(rule, DAY, TERMS, TERMS, yes("ada"), 8 * DAY + 1) == Void(
        True, "it was not released in time"
    )


@given(count=st.integers(1, 4), votes=VOTES, more=VOTES)
def test_a_no_stands_and_a_yes_is_never_lost(count: int, votes: list[Vote], more: list[Vote]) -> None:
    before, after = (verdict(Rule(count), 0.0, TERMS, TERMS, said, 1.0) for said in (votes, votes + more))
    if isinstance(before, Refused):
        assert after == before
    if isinstance(before, Granted):
        assert isinstance(after, Granted | Refused)
        assert len(set(before.by)) >= count
    if isinstance(after, Waiting):
        assert isinstance(before, Waiting)
        assert before.missing >= after.missing > 0


@given(count=st.integers(1, 4), votes=VOTES, seed=st.randoms())
def test_the_order_of_yeses_does_not_matter(count: int, votes: list[Vote], seed: object) -> None:
    kinds = {type(verdict(Rule(count), 0.0, TERMS, TERMS, said, 1.0)) for said in (votes, votes[::-1])}
    assert len(kinds) == 1


@pytest.mark.parametrize(
    ("rule", "actor", "groups", "approve", "sentence"),
    [
        (Rule(), "eve", (), True, ""),
        (Rule(by=("ada", "@ops")), "ada", (), True, ""),
        (Rule(by=("ada", "@ops")), "eve", ("ops",), True, ""),
        (
            Rule(by=("ada", "@ops")),
            "ops",
            (),
            True,
            "ops may not decide it: that is for ada or the group ops.",
        ),
        (Rule(by=("ada",)), "eve", (), False, "eve may not decide it: that is for ada."),
        (Rule(not_author=True), "Ada", (), True, "somebody else has to say yes"),
        (
            Rule(not_author=True, by=("ada", "bob")),
            "ada",
            (),
            True,
            "somebody else of ada or bob has to say yes",
        ),
        (Rule(not_author=True), "ada", (), False, ""),
        (Rule(not_author=True), "bob", (), True, ""),
    ],
)
def test_who_may_decide(
    rule: Rule, actor: str, groups: tuple[str, ...], approve: bool, sentence: str
) -> None:
    told = hindrance(rule, actor, groups, {"ada", "ada@example.com"}, approve)
    assert sentence in told if sentence else told == ""
