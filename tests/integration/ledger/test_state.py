"""What every store must keep true (state tests)."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from loopwright.errors import IntegrityError, PermanentError, StaleEpochError
from loopwright.ledger import Ledger, Query, Store

Opener = Callable[[], Ledger]


def test_a_fact_is_given_back_as_it_was_appended(ledger: Ledger, open_ledger: Opener) -> None:
    fact = ledger.append("step.succeeded", "titanic", "train", {"b": [1, 2.5], "a": "\u00e9"}, "ann", 12.25)
    assert (fact.sequence, fact.time, fact.epoch, fact.actor) == (2, 12.25, 1, "ann")
    assert open_ledger().facts(after=1) == [fact]


def test_facts_are_found_by_kind_workload_and_key(ledger: Ledger) -> None:
    for kind, workload, key in [
        ("a", "w", "1"),
        ("a", "w", "2"),
        ("a", "v", "1"),
        ("b", "w", "1"),
        ("a", "w", "1"),
    ]:
        ledger.append(kind, workload, key, {}, "ann", 2.0)
    assert [fact.sequence for fact in ledger.facts("a", "w")] == [2, 3, 6]
    assert [fact.sequence for fact in ledger.facts(key="1", after=2, limit=2)] == [4, 5]
    assert ledger.facts("c") == []
    assert (ledger.count(), ledger.count("a"), ledger.count("a", "w", "1")) == (6, 4, 2)


def test_the_latest_is_the_newest(ledger: Ledger) -> None:
    for key in ("1", "2", "1"):
        ledger.append("a", "w", key, {}, "ann", 2.0)
    newest = [
        ledger.latest("a", "w"),
        ledger.latest("a", "w", "2"),
        ledger.latest("a"),
        ledger.latest("a", "w", "3"),
    ]
    assert [fact and fact.sequence for fact in newest] == [4, 3, 4, None]


def test_append_once_gives_back_the_fact_that_is_there(ledger: Ledger) -> None:
    first = ledger.append_once("a", "w", "1", {"n": 1}, "ann", 2.0)
    assert ledger.append_once("a", "w", "1", {"n": 2}, "bob", 3.0) == first
    assert ledger.append_once("a", "v", "1", {}, "ann", 4.0).sequence == first.sequence + 1


def test_threads_that_append_the_same_once_get_one_fact(ledger: Ledger) -> None:
    with ThreadPoolExecutor(8) as threads:
        facts = list(
            threads.map(lambda n: ledger.append_once("a", "w", str(n % 3), {"n": n}, "ann", 2.0), range(48))
        )
    assert len({fact.sequence for fact in facts}) == ledger.count("a") == 3


def test_processes_that_append_the_same_once_get_one_fact(ledger: Ledger, open_ledger: Opener) -> None:
    ledgers = [
        ledger,
        open_ledger(),
        open_ledger(),
    ]  # each with connections of its own, as another process has
    with ThreadPoolExecutor(3) as threads:
        list(
            threads.map(
                lambda n: ledgers[n % 3].append_once("a", "w", str(n // 9), {}, "ann", 2.0), range(45)
            )
        )
    assert (ledger.count("a"), ledger.verify().ok) == (5, True)


def test_threads_append_one_chain(ledger: Ledger) -> None:
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda n: ledger.append("a", "w", str(n), {}, "ann", 2.0), range(100)))
    assert [fact.sequence for fact in ledger.facts()] == list(range(1, 102))
    assert ledger.verify() == (verdict := ledger.verify())
    assert (verdict.ok, verdict.entries) == (True, 101)


def test_taking_over_is_recorded_and_makes_the_earlier_writer_stale(
    ledger: Ledger, open_ledger: Opener
) -> None:
    successor = open_ledger()
    assert successor.take_over(now=5.0) == 2
    started = successor.latest("control.started")
    assert started is not None
    assert (started.epoch, started.key, started.time) == (2, "2", 5.0)
    for append in (ledger.append, ledger.append_once):
        with pytest.raises(StaleEpochError, match="epoch 2; this one has 1"):
            append("a", "w", "1", {}, "ann", 6.0)
    assert (successor.append("a", "w", "1", {}, "ann", 7.0).epoch, ledger.count("a")) == (2, 1)


def test_a_refused_fact_leaves_nothing_behind(ledger: Ledger) -> None:
    with pytest.raises(PermanentError):
        ledger.append("a", "w", "1", {"x": object()}, "ann", 2.0)
    assert (ledger.count(), ledger.append("a", "w", "2", {}, "ann", 2.0).sequence) == (1, 2)


def test_an_entry_is_gone_when_its_transaction_fails(ledger: Ledger, store: Store) -> None:
    with pytest.raises(RuntimeError), store.transaction() as transaction:  # noqa: PT012
        transaction.insert(replace(store.select(Query())[0], sequence=2))
        raise RuntimeError
    assert (store.count(Query()), ledger.append("a", "w", "1", {}, "ann", 2.0).sequence) == (1, 2)


def test_a_reader_sees_no_entry_before_it_is_committed(ledger: Ledger, store: Store) -> None:
    with store.transaction() as transaction:
        transaction.insert(replace(store.select(Query())[0], sequence=2))
        assert (len(transaction.select(Query())), store.count(Query()), len(list(store.scan()))) == (2, 1, 1)
    assert store.count(Query()) == 2


def test_a_head_that_is_behind_by_a_crash_is_brought_up(
    ledger: Ledger, open_ledger: Opener, tmp_path: Path
) -> None:
    before = (tmp_path / "ledger.head").read_bytes()
    ledger.append("a", "w", "1", {}, "ann", 2.0)
    (tmp_path / "ledger.head").write_bytes(before)  # as if killed between the commit and the head
    survivor = open_ledger()
    assert survivor.verify().ok
    survivor.take_over(now=3.0)
    assert (survivor.verify().ok, (tmp_path / "ledger.head").read_bytes() != before) == (True, True)


@pytest.mark.parametrize("content", [None, b"", b"[]", b'{"sequence": 1, "hash": "00", "signature": "00"}'])
def test_a_head_that_is_missing_or_forged_is_seen(
    ledger: Ledger, open_ledger: Opener, tmp_path: Path, content: bytes | None
) -> None:
    head = tmp_path / "ledger.head"
    head.unlink() if content is None else head.write_bytes(content)
    verdict = ledger.verify()
    assert (verdict.ok, "signed head" in verdict.sentence) == (False, True)
    with pytest.raises(IntegrityError, match="signed head"):
        open_ledger().take_over()


def test_the_key_is_the_owners_alone_and_must_not_be_lost(
    ledger: Ledger, open_ledger: Opener, tmp_path: Path
) -> None:
    assert (tmp_path / "ledger.key").stat().st_mode & 0o777 == 0o600
    (tmp_path / "ledger.key").unlink()
    with pytest.raises(IntegrityError, match=r"ledger\.key is missing"):
        open_ledger()
    (tmp_path / "ledger.key").write_text("abc")
    with pytest.raises(IntegrityError, match=r"ledger\.key is damaged"):
        open_ledger()


def test_facts_are_found_by_all_that_a_query_says(ledger: Ledger) -> None:
    for number, (kind, actor) in enumerate([("a", "ann"), ("b", "bob"), ("c", "ann"), ("a", "bob")]):
        ledger.append(kind, "w", f"key-{number}", {"text": f"100%_{number}"}, actor, 10.0 + number)

    def found(query: Query) -> list[int]:
        return [fact.sequence for fact in ledger.find(query)]

    assert found(Query(kinds=("a", "c"))) == [2, 4, 5]
    assert found(Query(kinds=())) == []
    assert found(Query(actor="bob")) == [3, 5]
    assert found(Query(since=11.0, until=12.0)) == [3, 4]
    assert found(Query(before=5, newest_first=True, limit=2)) == [4, 3]
    assert found(Query(mentions=("y-2",))) == found(Query(mentions=('"100%_2"',))) == [4]
    assert (
        found(Query(mentions=("KEY-2",)))
        == found(Query(mentions=("100_",)))
        == found(Query(mentions=()))
        == []
    )
    assert found(Query(mentions=("key-0", "%_3"))) == [2, 5]
    assert found(Query(actor="ann", kinds=("a",), since=1.0, mentions=("key",))) == [2]
    assert ledger.distinct("kind") == ["a", "b", "c", "control.started"]
    assert ledger.distinct("key", "a") == ["key-0", "key-3"]
    assert ledger.distinct("workload") == ["", "w"]
    assert ledger.distinct("actor") == ["ann", "bob", "loopwright"]
