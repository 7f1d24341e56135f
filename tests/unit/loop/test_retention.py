"""What may be cleaned away: decided from facts and names, with virtual time."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from loopwright.ledger import Fact
from loopwright.loop.retention import Item, Policy, condemned, digests, needed, reachable
from loopwright.loop.view import View

DAY = 86400.0
NOW = 1000 * DAY


def name(text: object) -> str:
    """The digest that stands for something."""
    return hashlib.sha256(str(text).encode()).hexdigest()


class Facts:
    """A view that facts are put into."""

    def __init__(self) -> None:
        self.view = View()
        self.count = 0

    def add(self, kind: str, key: str, at: float, body: Mapping[str, Any]) -> Fact:
        self.count += 1
        fact = Fact(self.count, at, 1, kind, "toy", key, "ada", dict(body), "", "")
        self.view.apply(fact)
        return fact

    def change(self, number: int, at: float, ended: bool = True) -> None:
        """Everything that one change leaves behind; each content named after it."""
        key = f"toy-{number}"
        source = {"path": "rows.csv", "content": name(f"rows{number}"), "modified_at": 0.0, "stale": False}
        self.add(
            "change.requested", key, at,
            {"folder": "/f", "spec": name(f"spec{number}"), "commit": None, "dirty": False, "diff": None,
             "author": "ada", "auto_approve": False, "files": {"a.py": name(f"file{number}") + "+x"},
             "sources": {"rows": source}},
        )  # fmt: skip
        package = {
            "digest": f"sha256:p{number}", "tree": name(f"package{number}"), "data": name(f"data{number}"),
            "environment": name(f"environment{number}"), "run": f"run{number}",
        }  # fmt: skip
        outputs: dict[str, dict[str, Any]] = {
            "data": {"tree": name(f"data{number}")},
            "environment": {"digest": name(f"environment{number}"), "lock": name(f"lock{number}")},
            "train": {"model": name(f"model{number}"), "run": f"run{number}"},
            "package": package,
        }
        for step, output in outputs.items():
            body = {"change": key, "step": step, "inputs": f"{step}{number}", "output": output}
            self.add("step.succeeded", f"{key}/{step}", at, body)
        if ended:
            self.add("change.completed", key, at, {})

    def release(self, number: int, at: float) -> None:
        output = self.view.successes["toy", "package", f"package{number}"].body["output"]
        body = {"change": f"toy-{number}", "environment": "prod", "package": output, "version": number}
        self.add("release.completed", f"toy-{number}/prod", at, body | {"revision": name(f"rev{number}")})

    def needed(self, **policy: Any) -> frozenset[str]:
        return needed(self.view, [], Policy(**{"packages": 0} | policy), NOW)


PARTS = ("package", "data", "environment", "lock", "model", "rows")


def all_of(number: int) -> set[str]:
    return {name(f"{part}{number}") for part in PARTS}


def test_digests_are_found_wherever_they_stand() -> None:
    one, two, three = name(1), name(2), name(3)
    assert digests({"a": [one, {"b": f"{two}+x"}], "path": f"/s/trees/ab/{three}/x"}) == {one, two, three}
    assert digests({"too long": one + "0", "too short": two[:-1]}) == frozenset()


def test_what_served_last_is_kept_with_all_that_it_was_made_of() -> None:
    facts = Facts()
    for number in (1, 2, 3):
        facts.change(number, NOW - 200 * DAY)
        facts.release(number, NOW - 200 * DAY)
    facts.change(4, NOW - 100 * DAY)
    found = facts.needed(releases=2)
    assert found >= all_of(2) | all_of(3)
    assert all_of(1).isdisjoint(found)
    assert name("rev3") in found


def test_what_is_young_is_kept() -> None:
    facts = Facts()
    facts.change(1, NOW - 29 * DAY)
    facts.change(2, NOW - 29 * DAY)
    assert facts.needed() >= all_of(1)
    assert all_of(1).isdisjoint(facts.needed(older_than=20 * DAY))


def test_the_newest_packages_are_kept_whether_they_served_or_not() -> None:
    facts = Facts()
    for number in (1, 2, 3):
        facts.change(number, NOW - 100 * DAY)
    assert facts.needed(packages=2) >= all_of(2)
    assert all_of(1).isdisjoint(facts.needed(packages=2))


def test_specs_and_files_of_every_change_are_kept_its_data_is_not() -> None:
    facts = Facts()
    for number in (1, 2):
        facts.change(number, NOW - 100 * DAY)
    found = facts.needed()
    assert {name("spec1"), name("file1")} <= found
    assert name("rows1") not in found
    assert name("rows2") in found  # of the newest change


def test_what_the_steps_of_a_change_under_way_use_is_kept() -> None:
    facts = Facts()
    facts.change(1, NOW - 100 * DAY)
    facts.change(2, NOW - 100 * DAY, ended=False)
    output = facts.view.successes["toy", "package", "package1"].body["output"]
    found = needed(facts.view, [{"package": output}], Policy(packages=0), NOW)
    assert found >= all_of(1)


def items(kind: str, *ages: float) -> list[Item]:
    return [Item(kind, name(f"{kind}{age}"), NOW - age) for age in ages]


def test_what_is_not_marked_goes_after_the_grace_period() -> None:
    files = items("files", 10.0, 7200.0, 7300.0)
    found = condemned(files, frozenset({files[2].name}), [], Policy(), NOW)
    assert found == [files[1]]


def test_environments_and_revisions_are_known_by_the_beginning_of_their_digest() -> None:
    kept = name("kept")
    folders = [Item(kind, kept[:16], 0.0) for kind in ("environments", "revisions")]
    gone = [Item(kind, name("gone")[:16], 0.0) for kind in ("environments", "revisions")]
    assert condemned([*folders, *gone], frozenset({kept}), [], Policy(), NOW) == gone


def test_what_a_running_replica_uses_stays_whatever_the_facts_say() -> None:
    revision, environment = name("revision")[:16], name("environment")[:16]
    found = [Item("revisions", revision, 0.0), Item("environments", environment, 0.0)]
    living = [f"prod--toy--{revision[:12]}", environment]
    assert condemned(found, frozenset(), living, Policy(), NOW) == []


def test_old_job_folders_go_but_the_newest_of_each_step_and_those_that_run() -> None:
    jobs = [
        Item("jobs", f"toy.train.{number}.0", NOW - age * DAY)
        for number, age in enumerate((90, 80, 70, 60, 20))
    ]
    other = Item("jobs", "toy.data.1.0", NOW - 90 * DAY)
    found = condemned([*jobs, other], frozenset(), [jobs[1].name], Policy(), NOW)
    assert found == [jobs[0], jobs[2], jobs[3]]
    assert condemned(jobs[:4], frozenset(), [], Policy(), NOW) == jobs[:3]


@given(
    st.dictionaries(st.integers(0, 30), st.lists(st.integers(0, 30), max_size=4), max_size=30),
    st.sets(st.integers(0, 30), max_size=5),
)
def test_nothing_that_can_be_reached_is_ever_condemned(parts: dict[int, list[int]], roots: set[int]) -> None:
    marked = reachable(
        map(name, roots), lambda digest: [name(p) for k in parts if name(k) == digest for p in parts[k]]
    )
    everything = [Item("files", name(number), 0.0) for number in range(31)]
    gone = {item.name for item in condemned(everything, marked, [], Policy(), NOW)}
    ahead, seen = list(roots), set[int]()
    while ahead:
        number = ahead.pop()
        assert name(number) not in gone
        if number not in seen:
            seen.add(number)
            ahead += parts.get(number, [])
    assert len(gone) == 31 - len(seen)
