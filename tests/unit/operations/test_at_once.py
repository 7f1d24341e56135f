"""Who reads many entries of the view does so while nothing is appended to it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from threading import Thread
from types import SimpleNamespace
from typing import Any

import pytest

from loopwright.ledger import Ledger
from loopwright.loop.book import Book
from loopwright.loop.progress import ProgressBoard
from loopwright.operations.changes import progress
from loopwright.operations.secrets import list_secrets
from loopwright.secrets.providers import Secrets
from loopwright.state import StateFolder


@pytest.fixture
def control(tmp_path: Path) -> Iterator[Any]:
    state = StateFolder(tmp_path)
    state.create()
    with closing(Ledger.open(state.ledger, state.ledger_key, state.ledger_head)) as ledger:
        driver = SimpleNamespace(board=ProgressBoard())
        yield SimpleNamespace(book=Book(ledger), driver=driver, secrets=Secrets(state, {}))


class Disturbed(dict[Any, Any]):
    """While one reads an entry, another thread appends a fact that makes a further one."""

    def __init__(self, book: Book, kind: str) -> None:
        self._book, self._kind = book, kind
        self.appending: list[Thread] = []

    def items(self) -> Any:
        for item in super().items():
            thread = Thread(target=tell, args=(self._book, self._kind, f"other-{len(self.appending)}"))
            self.appending.append(thread)
            thread.start()
            thread.join(0.3)  # it ends only where the lock is free
            yield item


def tell(book: Book, kind: str, workload: str) -> None:
    body: dict[str, Any] = {"change": "toy-1", "step": workload, "inputs": "i", "message": "broke"}
    fields = ("folder", "spec", "files", "commit", "dirty", "diff", "author", "auto_approve")
    body |= dict.fromkeys(fields, "") | {"sources": {}, "files": {}, "secrets": {"TOKEN": "d"}}
    book.append(kind, workload, f"{workload}-1", body, "ada", 1.0)


def settle(disturbed: Disturbed) -> None:
    for thread in disturbed.appending:
        thread.join()


def test_the_users_of_secrets_are_told_while_changes_are_asked_for(control: Any) -> None:
    control.book.view.newest = newest = Disturbed(control.book, "change.requested")
    tell(control.book, "change.requested", "toy")
    assert list_secrets(control)[0]["workloads"] == ["toy"]
    settle(newest)
    assert "other-0" in newest


def test_a_rollback_of_the_past_is_told_while_steps_fail(control: Any) -> None:
    control.book.append("rollback.requested", "toy", "toy-1", {}, "ada", 1.0)
    control.book.append("change.failed", "toy", "toy-1", {}, "ada", 1.0)
    control.book.view.failures = failures = Disturbed(control.book, "step.failed")
    tell(control.book, "step.failed", "toy")
    assert progress(control, "toy-1", 0, 0.0)["steps"] == [
        {"step": "toy", "state": "failed", "message": "broke"}
    ]
    settle(failures)
    assert ("toy-1", "other-0") in failures
