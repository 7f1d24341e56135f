"""What the facts say of what was made and what served; with facts of release 0.1 as with those of today."""

from __future__ import annotations

from typing import Any

import pytest
from story import DAY, START, Story, sha

from loopwright.ledger.facts import Entry
from loopwright.loop.lineage import (
    Chronicle,
    Version,
    data_versions,
    newest_approved,
    packages,
    refusals,
    releases,
    runs,
    served_at,
    versions,
)


def chronicle(*stories: Story) -> Chronicle:
    """The facts of stories, read as from a ledger."""
    made, last = Chronicle(), None
    for draft in sorted((fact for story in stories for fact in story.facts), key=lambda fact: fact.time):
        last = draft.entry(last, 0, b"key")
        assert isinstance(last, Entry)
        made.apply(last.fact())
    return made


@pytest.fixture(params=[False, True], ids=["today", "0.1"])
def story(request: pytest.FixtureRequest) -> Story:
    """Two versions in production: bob approved the second, which ran on more rows."""
    told = Story(old=request.param)
    told.release(approve=("ann", ""), auto=True, accuracy=0.81)
    told.now += DAY
    told.release(
        rows=1400, commit="b" * 40, dirty=True, approve=("bob", "seen with operations"), accuracy=0.85
    )
    return told


def second(story: Story) -> Version:
    return versions(chronicle(story), "titanic")[1]


def test_a_version_knows_what_it_was_made_of(story: Story) -> None:
    found = second(story)
    assert (found.name, found.change, found.commit, found.dirty) == ("titanic:2", "titanic-2", "b" * 40, True)
    assert (found.data_version, found.rows) == (sha("data", 1400), 1400)
    assert (found.run, found.package) == (sha("run", "titanic-2")[:32], story.packages[2]["digest"])
    assert found.metrics == {"accuracy": 0.85, "f1": 0.74}
    assert (found.asked_by, found.author) == ("ann", "Ann <ann@example.com>")


def test_a_version_knows_where_it_serves_and_who_approved_it(story: Story) -> None:
    first, newest = versions(chronicle(story), "titanic")
    assert (first.aliases, first.serves) == ((), ())
    assert newest.aliases == ("dev", "prod")
    assert [place.environment for place in newest.serves] == ["dev", "prod"]
    assert [(one.by, one.comment, one.automatic) for one in newest.approvals] == [
        ("bob", "seen with operations", False)
    ]


def test_a_release_lasts_until_the_next(story: Story) -> None:
    first, newest = releases(chronicle(story), "titanic", "prod")
    assert first.until == newest.since
    assert newest.until is None
    assert (first.previous, newest.previous) == (None, "titanic:1")
    assert [one.automatic for one in first.approvals] == [True]


def test_a_rollback_is_a_release_of_an_earlier_version_by_who_asked_for_it(story: Story) -> None:
    story.deploy("titanic-1", "prod", version=1, actor="carla", by="rollback", comment="errors")
    back = releases(chronicle(story), "titanic", "prod")[-1]
    assert (back.version, back.rollback, back.asked_by, back.previous) == (
        "titanic:1",
        True,
        "carla",
        "titanic:2",
    )
    assert ([one.by for one in back.approvals], back.comment) == (["ann"], "errors")
    newest = newest_approved(chronicle(story), "titanic", "prod")
    assert newest
    assert (newest.version, newest.serves, newest.rolled_back) == ("titanic:2", False, True)


@pytest.mark.parametrize(("day", "expected"), [(-1, None), (0.5, "titanic:1"), (5, "titanic:2")])
def test_what_served_at_a_moment(story: Story, day: float, expected: str | None) -> None:
    found = served_at(chronicle(story), START + day * DAY, "titanic", "prod")[0]
    assert (found.version.name if found.version else None) == expected
    assert found.serving is (expected is not None)
    assert found.serving or found.reason == "nothing had been released there yet"


def test_what_served_comes_with_its_data(story: Story) -> None:
    now, then = (served_at(chronicle(story), START + days * DAY, "titanic", "prod")[0] for days in (9, 0.5))
    assert now.data
    assert (now.data.version, now.data.rows) == (sha("data", 1400), 1400)
    assert then.data
    assert then.data.rows == 1317


def test_nothing_serves_while_all_is_down_but_it_does_while_only_the_control_plane_is(story: Story) -> None:
    story.life("state.stopped", "dora")
    down = story.now + 1
    story.now += DAY
    story.life("control.started")
    known = chronicle(story)
    stopped = served_at(known, down, "titanic", "prod")[0]
    assert (stopped.serving, stopped.reason) == (False, "all had been brought down by dora")
    assert stopped.release is not None
    assert served_at(known, story.now + 1, "titanic", "prod")[0].serving


def test_the_newest_approved_is_the_one_approved_last(story: Story) -> None:
    change = story.register(rows=1500)
    story.ask(change)
    found = newest_approved(chronicle(story), "titanic", "prod")
    assert found
    assert (found.version, found.serves) == ("titanic:2", True)
    story.decide(change, "bob", yes=False)
    assert newest_approved(chronicle(story), "titanic", "prod") == found


def test_an_approved_version_need_not_serve_yet(story: Story) -> None:
    change = story.register(rows=1500)
    story.ask(change)
    story.decide(change, "bob")
    found = newest_approved(chronicle(story), "titanic", "prod")
    assert found
    assert (found.version, found.serves, found.released_at) == ("titanic:3", False, None)


def test_a_version_is_approved_once_all_have_said_yes(story: Story) -> None:
    change = story.register(rows=1500)
    story.ask(change, count=2)
    story.decide(change, "bob", last=False)
    found = newest_approved(chronicle(story), "titanic", "prod")
    assert found
    assert found.version == "titanic:2"
    story.decide(change, "dora")
    found = newest_approved(chronicle(story), "titanic", "prod")
    assert found
    assert (found.version, found.approval and found.approval.by) == ("titanic:3", "dora")


@pytest.mark.parametrize("kind", ["approval.voided", "approval.expired"])
def test_an_approval_that_lost_its_force_unused_does_not_count(story: Story, kind: str) -> None:
    change = story.register(rows=1500)
    story.ask(change)
    story.decide(change, "bob")
    story.tell(kind, f"{change}-prod", {"change": change, "reason": "the champion changed"})
    story.tell(kind, "titanic-2-prod", {"change": "titanic-2", "reason": "after its release"})
    found = newest_approved(chronicle(story), "titanic", "prod")
    assert found
    assert found.version == "titanic:2"


def test_where_nobody_is_asked_the_newest_released_counts(story: Story) -> None:
    found = newest_approved(chronicle(story), "titanic", "dev")
    assert found
    assert (found.version, found.approval) == ("titanic:2", None)
    assert newest_approved(chronicle(story), "titanic", "staging") is None


def test_a_run_says_how_it_ended_and_what_became_of_it(story: Story) -> None:
    failed = story.request(rows=1317)
    story.fail(failed, "train", "The training job ended with exit status 1.")
    first, _, last = runs(chronicle(story), "titanic")
    assert (first.status, first.versions, first.duration) == ("succeeded", ("titanic:1",), 31.0)
    assert first.metrics["evaluation.accuracy"] == 0.81
    assert (last.status, last.versions) == ("failed", ())
    assert "exit status 1" in last.message


def test_a_run_says_its_own_parameters_and_metrics_where_the_facts_do(story: Story) -> None:
    found = runs(chronicle(story), "titanic")[0]
    assert found.parameters == (None if story.old else {"trees": "100"})
    assert ("loss" in found.metrics) is not story.old


@pytest.mark.parametrize("kind", ["job.lost", "job.cancelled", "job.failed"])
def test_a_run_that_was_lost_or_cancelled_says_so(kind: str) -> None:
    story = Story()
    change = story.request()
    job = story._started(change, "train", "f" * 64)
    assert runs(chronicle(story), "titanic")[0].status == "running"
    story.tell(kind, job, {"change": change, "step": "train", "inputs": "f" * 64})
    assert runs(chronicle(story), "titanic")[0].status == kind.removeprefix("job.")


def test_a_package_says_its_version_and_where_it_serves(story: Story) -> None:
    first, newest = packages(chronicle(story), "titanic")
    assert (first.version, first.serves) == ("titanic:1", ())
    assert (newest.version, newest.serves) == ("titanic:2", ("dev", "prod"))


def test_a_data_version_says_what_was_made_of_it(story: Story) -> None:
    first, newest = data_versions(chronicle(story), "titanic")
    assert (first.versions, newest.versions) == (("titanic:1",), ("titanic:2",))
    assert (newest.name, newest.source, newest.asked_by) == ("passengers", "data/passengers.csv", "ann")


def test_refused_data_are_told(story: Story) -> None:
    story.fail(story.request(rows=3), "data", "age: 3 values below 0")
    found = refusals(chronicle(story), "titanic")
    assert [(one.version, one.message) for one in found] == [(sha("data", 3), "age: 3 values below 0")]


def test_a_copy_does_not_grow_with_what_it_was_taken_of(story: Story) -> None:
    known = chronicle(story)
    before = known.copy()
    story.release(rows=1500)
    later = chronicle(story)
    for fact in [fact for facts in later.steps.values() for fact in facts][-1:] + later.releases[
        "prod", "titanic"
    ][-1:]:
        known.apply(fact)
    assert len(releases(known, "titanic")) > len(releases(before, "titanic"))
    assert [one.version for one in releases(before, "titanic", "prod")] == ["titanic:1", "titanic:2"]


def test_workloads_are_kept_apart(story: Story) -> None:
    other = Story("churn", now=START + 0.5)
    other.release()
    known = chronicle(story, other)
    assert [one.name for one in versions(known, "churn")] == ["churn:1"]
    assert len(served_at(known, START + 9 * DAY)) == 4
    found: dict[str, Any] = {
        one.workload: one.release for one in served_at(known, START + 9 * DAY, None, "prod")
    }
    assert found["churn"].version == "churn:1"
