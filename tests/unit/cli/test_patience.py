"""A command goes on where the control plane was away for a while."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from contextlib import nullcontext
from itertools import count, repeat
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from loopwright.cli import patience, transfer, up
from loopwright.cli.client import Client
from loopwright.cli.transfer import follow
from loopwright.errors import ConflictError, TemporaryError
from loopwright.state import StateFolder


class Absent(Client):
    """Does not answer the first time, then says that all has ended well."""

    def __init__(self, state: StateFolder) -> None:
        super().__init__(state)
        self.asked = 0
        self.tokens: list[str] = []

    def health(self) -> dict[str, Any] | None:
        return None

    def get(self, path: str, timeout: float = 30.0, **query: Any) -> Any:
        self.asked += 1
        if self.asked == 1:
            raise TemporaryError("The control plane does not answer.")
        return {"version": 1, "state": "succeeded", "steps": [], "path": path}

    def post(self, path: str, body: dict[str, Any], timeout: float = 300.0) -> Any:
        self.tokens.append(body["token"])
        told = {"change": "toy-1", "transfer": "toy-1", "new": True, "workload": "toy", "finished": False}
        return self.get(path) | told


@pytest.fixture
def client(tmp_path: Path) -> Absent:
    state = StateFolder(tmp_path)
    state.create()
    return Absent(state)


def test_a_transfer_is_followed_through_the_death_of_the_control_plane(
    client: Absent, monkeypatch: pytest.MonkeyPatch
) -> None:
    brought_back: list[StateFolder] = []
    monkeypatch.setattr(patience, "connect", brought_back.append)
    assert follow(client, {"transfer": "toy-3"})["path"] == "/v1/changes/toy-3"
    assert (client.asked, brought_back) == (2, [client.state])


def test_up_asks_again_with_the_token_of_its_first_try_and_another_up_with_another(
    client: Absent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "connect", lambda state: client)
    monkeypatch.setattr(up, "connect", lambda state: client)
    given = {"folder": ".", "auto_approve": False, "again": True, "no_wait": True, "json": True}
    parsed = argparse.Namespace(home=str(client.state.root), foreground=False, **given)
    assert [up.up(parsed), up.up(parsed)] == [0, 0]
    first, repeated, other = client.tokens
    assert first == repeated != other


def test_a_promotion_is_asked_for_again_with_the_token_of_its_first_try(
    client: Absent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "connect", lambda state: client)
    monkeypatch.setattr(transfer, "_client", lambda parsed: client)
    wish = {"source": "dev", "target": "prod", "workload": None, "skip": False, "comment": ""}
    parsed = argparse.Namespace(no_wait=True, json=True, **wish)
    assert [transfer.promote(parsed), transfer.promote(parsed)] == [0, 0]
    first, repeated, other = client.tokens
    assert first == repeated != other


class Restless(Absent):
    """Killed a minute after each question: the fifth is answered."""

    def __init__(self, state: StateFolder, pids: Iterable[int]) -> None:
        super().__init__(state)
        self.now, self.pids = 0.0, iter(pids)

    def health(self) -> dict[str, Any] | None:
        return {"pid": next(self.pids)}

    def get(self, path: str, timeout: float = 30.0, **query: Any) -> Any:
        self.now += 60.0
        self.asked = 0 if self.now < 300 else 1
        return super().get(path, timeout, **query)


@pytest.mark.parametrize(("pids", "answered"), [(count(1), True), (repeat(1), False)])
def test_who_comes_back_each_time_is_waited_for_and_who_stays_silent_is_not(
    client: Absent, monkeypatch: pytest.MonkeyPatch, pids: Iterable[int], answered: bool
) -> None:
    restless = Restless(client.state, pids)
    clock = SimpleNamespace(monotonic=lambda: restless.now)
    monkeypatch.setattr(patience, "time", clock)
    monkeypatch.setattr(patience, "connect", lambda state: None)
    with nullcontext() if answered else pytest.raises(TemporaryError):
        assert patience.persist(restless, lambda: restless.get("/v1/changes/toy-1"))["state"] == "succeeded"
    assert restless.now == (300.0 if answered else 180.0)


def test_nothing_is_brought_back_that_was_stopped_on_purpose(client: Absent) -> None:
    client.state.desired.write_text('{"stopping": true}')
    with pytest.raises(ConflictError, match="stopped by `loopwright down` meanwhile"):
        follow(client, {"transfer": "toy-3"})
