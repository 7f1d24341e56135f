"""The control plane's paths give the answers that the stopped state's ledger gives."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import closing
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from driving import Here

from loopwright.catalog import Store
from loopwright.ledger import Ledger
from loopwright.loop.book import Book
from loopwright.server.app import create
from loopwright.state import StateFolder

Get = Callable[..., Any]


@pytest.fixture(scope="module")
def get(records: Here) -> Iterator[Get]:
    """Asks the application over that ledger, as a control plane has it in memory."""
    state = StateFolder(records.home)
    with closing(Ledger.open(state.ledger, state.ledger_key, state.ledger_head)) as ledger:
        control: Any = SimpleNamespace(ledger=ledger, book=Book(ledger), store=Store(state.store), epoch=0)
        transport = httpx.ASGITransport(create(control))

        async def ask(path: str, query: dict[str, Any]) -> Any:
            async with httpx.AsyncClient(transport=transport, base_url="http://control") as client:
                return (await client.get(path, params=query)).json()

        yield lambda path, **query: asyncio.run(ask(path, query))


@pytest.mark.parametrize(
    ("words", "path", "query"),
    [
        (("models",), "/v1/models", {}),
        (
            ("models", "--newest-approved", "prod", "titanic"),
            "/v1/models/newest-approved",
            {"workload": "titanic"},
        ),
        (("runs",), "/v1/runs", {}),
        (
            ("runs", "compare", "titanic:2", "titanic:3"),
            "/v1/runs/compare",
            {"word": ["titanic:2", "titanic:3"]},
        ),
        (
            ("releases", "tit", "--environment", "prod"),
            "/v1/releases",
            {"workload": "tit", "environment": "prod"},
        ),
        (("packages", "titanic"), "/v1/packages", {"workload": "titanic"}),
        (("data", "list"), "/v1/data", {}),
        (("data", "show", "titanic"), "/v1/data", {"workload": "titanic", "version": "newest"}),
        (("history", "verify"), "/v1/history/verify", {}),
    ],
)
def test_an_answer_is_the_same_from_memory_and_from_the_ledger(
    records: Here, get: Get, words: tuple[str, ...], path: str, query: dict[str, Any]
) -> None:
    assert get(path, **query) == records.json(*words)


def test_what_served_at_a_moment_is_the_same(records: Here, get: Get) -> None:
    at = "2026-01-02T12:00+00:00"
    from datetime import datetime

    found = get("/v1/history/at", at=datetime.fromisoformat(at).timestamp(), workload="titanic")
    assert found == records.json("history", "--at", at, "--workload", "titanic")
    assert found[1]["release"]["version"] == "titanic:2"


def test_filters_reach_the_ledger(get: Get) -> None:
    found = get("/v1/history", actor="bob", workload="titanic", kind="approval.*", limit=1)
    assert (found["more"], found["facts"][0]["body"]["comment"]) == (True, "not on a Friday")
    assert get("/v1/history", limit="many")["error"]["code"] == "usage"


def test_an_unknown_name_is_answered_as_on_the_command_line(get: Get) -> None:
    assert "Did you mean titanic?" in get("/v1/models", workload="titanik")["error"]["message"]
