"""Load that rises and falls, through the real gateway: replicas follow it, and no request fails."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest
from engine_rig import EngineRig
from waiting import until

pytestmark = pytest.mark.xdist_group("engine-scaling")


class Load:
    """So many clients, each asking again as soon as it is answered; `clients` may be changed while it runs."""

    def __init__(self, url: str) -> None:
        self.clients = 0
        self.answers: Counter[object] = Counter()
        self._url, self._over = url, threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()))

    @contextmanager
    def running(self) -> Iterator[Load]:
        self._thread.start()
        try:
            yield self
        finally:
            self._over.set()
            self._thread.join(30)

    async def _run(self) -> None:
        async with httpx.AsyncClient(timeout=30) as client:
            await asyncio.gather(*(self._ask(client, number) for number in range(20)))

    async def _ask(self, client: httpx.AsyncClient, number: int) -> None:
        while not self._over.is_set():
            if number >= self.clients:
                await asyncio.sleep(0.02)
                continue
            try:
                self.answers[(await client.post(self._url, json=[1])).status_code] += 1
            except httpx.HTTPError as error:
                self.answers[repr(error)] += 1


def test_replicas_follow_load_that_rises_and_falls_and_no_request_fails(rig: EngineRig) -> None:
    wanted = rig.replica_set(
        run="import time; time.sleep(0.05)",
        minimum=1,
        maximum=3,
        concurrency=4,
        scale_interval=0.1,
        scale_up_delay=0.3,
        scale_down_delay=0.5,
    )
    rig.engine.set_replicas(wanted)
    rig.ready(wanted.name, 1)
    with Load(rig.route(wanted.name, capacity=200)).running() as load:
        for clients, replicas in [(1, 1), (16, 3), (1, 1), (5, 2), (0, 1)]:
            load.clients = clients
            until(lambda n=replicas: rig.set(wanted.name).ready == n == rig.set(wanted.name).wanted, 60)  # type: ignore[misc]
    assert load.answers[200] > 50
    assert set(load.answers) == {200}
