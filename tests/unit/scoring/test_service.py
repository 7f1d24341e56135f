"""What happens to one body, whatever protocol brought it."""

from __future__ import annotations

import asyncio
import io
import json
import math
import threading
import time
from collections.abc import Callable
from typing import Any, cast

import pytest

from loopwright.scoring import worker_shim
from loopwright.scoring.aside import Aside
from loopwright.scoring.context import Context
from loopwright.scoring.logs import Log
from loopwright.scoring.refusals import (
    Draining,
    InvalidInput,
    Late,
    NotReady,
    QueueFull,
    UnknownMediaType,
    WaitedTooLong,
)
from loopwright.scoring.rows import Parsed
from loopwright.scoring.service import Service
from loopwright.scoring.settings import Input, Limits, ModelFile, Output, Settings
from loopwright.scoring.telemetry import Telemetry
from loopwright.scoring.worker import Reply, Started

Virtual = Callable[[Any], Any]


class _Sleeper:
    """A script whose answer takes as many seconds as the body says."""

    ready = True
    message = ""
    started = Started(0.0)

    async def ask(self, kind: int, body: bytes) -> Reply:
        assert kind == worker_shim.TEXT
        return Reply(cast("Any", None), worker_shim.ANSWER, await self.answer(body), 0, 0.0)

    async def answer(self, body: bytes) -> bytes:
        await asyncio.sleep(float(body))
        return body

    def pids(self) -> dict[str, int]:
        return {}

    async def run(self) -> str:
        return ""

    def abandon(self) -> None:
        pass

    async def stop(self, patience: float) -> None:
        pass


def _context() -> Context:
    return Context("1", time.perf_counter(), time.time(), None, "test", None)


async def _score(service: Service, body: bytes) -> bytes:
    return await service.score(body, _context())


def _service(
    scorer: _Sleeper | None = None, inputs: tuple[Input, ...] | None = None, **limits: Any
) -> Service:
    settings = Settings(
        workload="w", environment="e", revision="r", package="/p", entry="s.py", python="/py", inputs=inputs,
        limits=Limits(**limits),
    )  # fmt: skip
    return Service(settings, scorer or _Sleeper(), Telemetry(settings, Log(io.StringIO())))


def test_a_late_answer_is_refused_on_time_and_frees_its_place(virtual: Virtual) -> None:
    async def main() -> None:
        service = _service(timeout=3)
        with pytest.raises(Late):
            await _score(service, b"10")
        assert asyncio.get_running_loop().time() == pytest.approx(3)
        assert service.stats().in_flight == 0
        assert await _score(service, b"2") == b"2"

    virtual(main())


def test_the_timeout_does_not_count_the_wait_in_the_queue(virtual: Virtual) -> None:
    async def main() -> None:
        service = _service(concurrency=1, timeout=3, queue_wait=5)
        answers = tuple(await asyncio.gather(_score(service, b"2.5"), _score(service, b"2.5")))
        assert answers == (b"2.5", b"2.5")

    virtual(main())


def test_a_bad_body_takes_no_place(virtual: Virtual) -> None:
    service = _service(inputs=(Input(name="age", type="integer"),))
    with pytest.raises(InvalidInput):
        virtual(_score(service, b'{"age": "x"}'))
    assert (
        b'loopwright_queue_wait_seconds_count{workload="w",environment="e",revision="r"} 0'
        in service.metrics()
    )


def test_overload_is_seen_before_a_body_is_read(virtual: Virtual) -> None:
    async def main() -> None:
        service = _service(concurrency=1, queue=1)
        service.check()
        tasks = [asyncio.create_task(_score(service, b"1")) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(QueueFull):
            service.check()
        await asyncio.gather(*tasks)
        service.check()

    virtual(main())


def test_nothing_is_taken_before_the_first_readiness() -> None:
    scorer = _Sleeper()
    scorer.ready, scorer.message = False, "loading"
    service = _service(scorer)
    with pytest.raises(NotReady, match="loading"):
        service.check()
    scorer.ready = True
    service.check()
    scorer.ready = False  # a worker is being replaced: requests wait for it
    service.check()


def test_draining_is_not_ready_but_still_answers() -> None:
    service = _service()
    service.draining = True
    assert not service.stats().ready
    assert "draining" in service.stats().message
    service.check()
    service.abandon()
    with pytest.raises(Draining):
        service.check()


def test_finished_requests_are_counted_by_status() -> None:
    service = _service()
    for status in (200, 200, 503):
        service.finished(_context(), status)
    text = service.metrics().decode()
    assert 'loopwright_requests_total{workload="w",environment="e",revision="r",code="200"} 2\n' in text
    assert 'code="503"} 1\n' in text
    assert 'loopwright_request_seconds_count{workload="w",environment="e",revision="r"} 3\n' in text
    assert service.stats().completed == 3


class _Model:
    """A RowScorer that answers each row with its own value."""

    ready = True
    message = ""
    parallel = 1

    def pids(self) -> dict[str, int]:
        return {}

    def score_now(self, rows: list[Any]) -> list[list[Any]]:
        return [[value for (value,) in rows], [math.inf if value == 7 else 0.5 for (value,) in rows]]


def _serving_a_model() -> Service:
    settings = Settings(
        workload="w", environment="e", revision="r", package="/p", model=ModelFile(path="m", flavor="onnx"),
        inputs=(Input(name="x", type="integer"),),
        outputs=(Output(name="prediction", type="integer"), Output(name="probability", type="number")),
    )  # fmt: skip
    return Service(settings, cast("Any", _Model()), Telemetry(settings, Log(io.StringIO())))


@pytest.mark.parametrize(
    ("body", "media_type", "answer"),
    [
        (b'{"x": 3}', None, b'{"prediction":3,"probability":0.5}'),
        (b'[{"x": 3}]', "application/json; charset=utf-8", b'[{"prediction":3,"probability":0.5}]'),
        (b'{"x": [3, 4]}', "application/json", b'[{"prediction":3,"probability":0.5},{"prediction":4,"probability":0.5}]'),
        (b"x\n3", "text/csv", b'[{"prediction":3,"probability":0.5}]'),
        (b"[]", "application/x-www-form-urlencoded", b"[]"),
    ],
)  # fmt: skip
def test_a_model_answers_rows_in_every_form(
    virtual: Virtual, body: bytes, media_type: str | None, answer: bytes
) -> None:
    assert virtual(_serving_a_model().score(body, _context(), media_type)) == answer


@pytest.mark.parametrize("media_type", ["application/json", "text/csv"])
def test_the_event_loop_goes_on_while_a_large_body_is_read_and_answered(media_type: str) -> None:
    numbers = range(200_000)
    body = (
        json.dumps([{"x": n} for n in numbers])
        if "json" in media_type
        else "x\n" + "\n".join(map(str, numbers))
    )

    async def main() -> tuple[bytes, int]:
        turns = 0
        asked = asyncio.create_task(_serving_a_model().score(body.encode(), _context(), media_type))
        while not asked.done():
            await asyncio.sleep(0.001)
            turns += 1
        return await asked, turns

    answer, turns = asyncio.run(main())
    assert [row["prediction"] for row in json.loads(answer)] == list(numbers)
    assert turns > 5  # on the loop alone it would be one or two


def test_who_waits_for_others_large_bodies_too_long_is_told() -> None:
    async def main() -> None:
        aside, going = Aside(Limits(queue_wait=0.05)), threading.Event()
        busy = [asyncio.create_task(aside.do(True, going.wait)) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(WaitedTooLong, match=r"Other large bodies were read for longer than 0\.05 s\."):
            await aside.do(True, int)
        assert await aside.do(False, int) == 0
        going.set()
        await asyncio.gather(*busy)
        assert await aside.do(True, int) == 0

    asyncio.run(main())


def test_a_body_of_another_kind_is_refused(virtual: Virtual) -> None:
    with pytest.raises(UnknownMediaType, match="'image/png', expected application/json or text/csv"):
        virtual(_serving_a_model().score(b"x", _context(), "image/png"))


def test_what_json_cannot_hold_becomes_null_and_is_counted(virtual: Virtual) -> None:
    service = _serving_a_model()
    assert virtual(service.score(b'{"x": 7}', _context())) == b'{"prediction":7,"probability":null}'
    assert (
        b'loopwright_nonfinite_numbers_total{workload="w",environment="e",revision="r"} 1\n'
        in service.metrics()
    )


def test_protocols_give_rows_and_get_columns(virtual: Virtual) -> None:
    answers = virtual(_serving_a_model().answer(Parsed([(1,), (2,)]), _context()))
    assert answers.records() == [{"prediction": 1, "probability": 0.5}, {"prediction": 2, "probability": 0.5}]


def test_a_script_is_given_objects_whatever_form_the_rows_came_in(virtual: Virtual) -> None:
    class Echo(_Sleeper):
        async def answer(self, body: bytes) -> bytes:
            return body

    service = _service(Echo(), inputs=(Input(name="x", type="integer"),))
    assert virtual(service.score(b'{"x": [1, 2]}', _context())) == b'[{"x":1},{"x":2}]'
    assert virtual(service.score(b'{"x": 1, "y": 2}', _context())) == b'{"x": 1, "y": 2}'
    assert virtual(service.answer(Parsed([(1,), (2,)]), _context())).columns == [[1, 2]]
