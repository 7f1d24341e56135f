"""Asking a replica for the predictions of many rows, so many at a time as it takes on, and reading the answers."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import msgspec

from loopwright.errors import StepFailed
from loopwright.evaluation.answers import PathError, UnparsableError, excerpt, look_up, parse
from loopwright.evaluation.labels import canonical, number
from loopwright.evaluation.metrics import NEEDS_PROBABILITY, Task
from loopwright.evaluation.rows import Row
from loopwright.scoring import Limits

if TYPE_CHECKING:
    import aiohttp

_LONGEST_ROW = 500  # characters of a row that a message quotes
_SPARE = 5.0  # seconds beyond all that the replica itself may take, before its answer is called lost


@dataclass(frozen=True)
class Reading:
    """Where an answer's prediction and probability are, and what kind they must be."""

    prediction: str
    probability: str | None
    task: Task


@dataclass(frozen=True)
class Answer:
    """One row's prediction (canonical text, or a number in a regression) and the positive class's probability."""

    prediction: Any
    probability: float | None


def require_probabilities(given: Mapping[str, Any]) -> None:
    """Raises StepFailed for gates on probabilities of a model that gives none, before anything is asked."""
    if given.get("probability") is not None or not given.get("model"):
        return
    wanting = [number for number, gate in enumerate(given["gates"]) if gate["metric"] in NEEDS_PROBABILITY]
    if wanting:
        metrics = ", ".join(dict.fromkeys(given["gates"][number]["metric"] for number in wanting))
        raise StepFailed(
            f"The gates on {metrics} need the probability of one of two labels, and the model {given['model']} answers without: "
            "it is no classifier of two labels, or has no predict_proba(). Take another metric, or another model.",
            [f"evaluation.gates.{number}.metric" for number in wanting],
        )


def of_the_positive(answers: Sequence[Answer], positive: str | None) -> Sequence[Answer]:
    """The answers of a model with the probability of the positive label, whichever of two labels the model gives that of.

    Told from the answers themselves: a model predicts the label that is probable. Labels have an order of their own in each
    library (the texts `9` and `10`, say), which need not be ours.
    """
    if positive is None or any(answer.probability is None for answer in answers):
        return answers
    sure = [0.5 - (answer.probability or 0.0) for answer in answers if answer.prediction != positive]
    sure += [(answer.probability or 0.0) - 0.5 for answer in answers if answer.prediction == positive]
    if sum(sure) >= 0:
        return answers
    return [replace(answer, probability=1.0 - (answer.probability or 0.0)) for answer in answers]


class UnusableError(ValueError):
    """An answer that cannot be judged; the text says what was found, expected, and what to do; `at` is a path of the spec."""

    def __init__(self, message: str, at: str = "") -> None:
        super().__init__(message)
        self.at = at


def read_answer(status: int, body: bytes, reading: Reading) -> Answer:
    """The prediction in an answer; raises UnusableError unless it is a 2xx with JSON that has one."""
    if not 200 <= status < 300:
        raise UnusableError(
            f"status {status}, expected 2xx; make the scoring script answer such a row (its traceback is in the log)"
        )
    try:
        answer = parse(body)
    except UnparsableError as error:
        raise UnusableError(f"not JSON ({error}); return a value that JSON can hold from run()") from None
    prediction = _prediction(_at(answer, reading.prediction, "prediction"), reading.task)
    if reading.probability is None:
        return Answer(prediction, None)
    return Answer(prediction, _probability(_at(answer, reading.probability, "probability")))


def _at(answer: Any, path: str, field: str) -> Any:
    try:
        return look_up(answer, path)
    except PathError as error:
        told = f"{error}; let evaluation.{field} (`{path}`) name where the {field} is"
        raise UnusableError(told, f"evaluation.{field}") from None


def _prediction(value: Any, task: Task) -> Any:
    if task == "regression":
        found = number(value)
        if found is None:
            raise UnusableError(
                f"the prediction is {_shown(value)}, expected a number, as the label is",
                "evaluation.prediction",
            )
        return found
    if value is None or isinstance(value, list | dict):
        raise UnusableError(
            f"the prediction is {_shown(value)}, expected one label: text, a number, true or false",
            "evaluation.prediction",
        )
    return canonical(value)


def _probability(value: Any) -> float:
    found = number(value)
    if found is None or not -1e-6 <= found <= 1 + 1e-6:  # float32 sums may miss 1 by a hair
        raise UnusableError(
            f"the probability is {_shown(value)}, expected a number from 0 to 1", "evaluation.probability"
        )
    return min(1.0, max(0.0, found))


def _shown(value: Any) -> str:
    return msgspec.json.encode(value).decode()[:80]


@dataclass(frozen=True)
class _Failure:
    row: int
    reason: str
    body: bytes
    at: str


async def ask(
    session: aiohttp.ClientSession, rows: Sequence[Row], limits: Limits, reading: Reading, name: str
) -> list[Answer]:
    """The answers to all rows, in order; stops at the first that is not usable, with StepFailed showing it."""
    answers: list[Answer | None] = [None] * len(rows)
    failures: list[_Failure] = []
    waiting = iter(enumerate(rows))
    timeout = limits.queue_wait + limits.timeout + _SPARE

    async def client() -> None:
        for index, row in waiting:
            if failures:
                return
            body = b""
            try:
                status, body = await _post(session, row, timeout)
                answers[index] = read_answer(status, body, reading)
            except UnusableError as error:
                failures.append(_Failure(index, str(error), body, error.at))

    await asyncio.gather(*(client() for _ in range(limits.concurrency)))
    if failures:
        raise _told(min(failures, key=lambda failure: failure.row), rows, name)
    return [answer for answer in answers if answer is not None]


def _told(failure: _Failure, rows: Sequence[Row], name: str) -> StepFailed:
    asked = msgspec.json.encode(rows[failure.row]).decode()[:_LONGEST_ROW]
    answered = f"\n    answered: {excerpt(failure.body)}" if failure.body else ""
    return StepFailed(
        f"{name} gave no usable answer to held-out row {failure.row + 1} of {len(rows)}: {failure.reason}."
        f"\n    asked: {asked}{answered}",
        [failure.at] if failure.at else [],
    )


async def _post(session: aiohttp.ClientSession, row: Row, within: float) -> tuple[int, bytes]:
    """Status and body; raises UnusableError where no answer came."""
    import aiohttp

    headers, limit = {"content-type": "application/json"}, aiohttp.ClientTimeout(total=within)
    url, body = "http://replica/score", msgspec.json.encode(row)
    try:
        async with session.post(url, data=body, headers=headers, timeout=limit) as response:
            return response.status, await response.read()
    except TimeoutError:
        raise UnusableError(f"no answer within {within:g} s; see why run() hangs") from None
    except (aiohttp.ClientError, OSError) as error:
        raise UnusableError(
            f"the connection failed ({error}); the log says what became of the replica"
        ) from None
