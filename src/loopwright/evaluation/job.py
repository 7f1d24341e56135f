"""The evaluation job: a package's own replica answers the held-out rows, and the gates decide.

Run by the engine as `python -m loopwright.evaluation.job FOLDER` (see `loopwright.jobs`). A gate that does not hold is
a result (`passed` is false), not a failure of this job; a package that cannot answer is a StepFailed.

The champion is asked by its own package under its own interpreter, only for rows that neither version trained on. If
it cannot answer them (it wants a column that the data no longer has, say), the report says so, and gates against it
do not pass; other gates are decided all the same.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loopwright import jobs
from loopwright.errors import LoopwrightError, StepFailed
from loopwright.evaluation import gates, held_out, judging, report, rows
from loopwright.evaluation.asking import Answer, Reading, ask, of_the_positive, require_probabilities
from loopwright.evaluation.held_out import HeldOut
from loopwright.evaluation.package_files import read_package_file, settings_for
from loopwright.scoring.child import running

_START_TIMEOUT = 120.0  # seconds for a replica to come up, its imports and its model included


@dataclass(frozen=True)
class _Version:
    """A package to ask, and how."""

    name: str  # as messages call it
    revision: str
    package: Path
    python: str
    prediction: str
    probability: str | None
    validate: bool  # whether its replica checks rows against the signature
    model: bool = False  # whether a model answers, without a script: it chooses whose probability it gives


def work(given: jobs.Input, outputs: Path) -> jobs.Output:
    """Evaluate the package of `given`; writes evaluation.json and predictions.csv."""
    require_probabilities(given)
    data, mine, theirs = asyncio.run(_ended_by_sigterm(given))
    said = judging.judged(data.labels, mine)
    manifest = read_package_file(Path(given["package"]), "package.json")
    judging.require_labels(said, data.question, given["label"], manifest["entry"])
    side = data.slicing.side(said, data.question)
    champion = _compared(given.get("champion"), data, mine, theirs)
    verdicts = gates.decide(given["gates"], side.overall, side.slices, champion)
    doubts = judging.doubts(said, data.question, manifest["entry"])
    content = report.build(data, side, champion, verdicts, doubts)
    report.write(outputs, content, data, mine, theirs)
    return content


async def _ended_by_sigterm(given: jobs.Input) -> tuple[HeldOut, Sequence[Answer], Sequence[Answer] | str]:
    """A job that is asked to end still stops its replicas first."""
    task = asyncio.ensure_future(_ask_both(given))
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    try:
        return await task
    except asyncio.CancelledError:
        raise StepFailed("The evaluation was asked to end (SIGTERM) before it was done.") from None


async def _ask_both(given: jobs.Input) -> tuple[HeldOut, Sequence[Answer], Sequence[Answer] | str]:
    """The candidate's and the champion's answers; both replicas start while the data is read."""
    reading = asyncio.ensure_future(asyncio.to_thread(_read, given))
    champion = asyncio.ensure_future(_ask_champion(given, reading))
    try:
        mine = await _ask(_candidate(given), given["serving"], reading, lambda data: range(len(data.frame)))
        return await reading, mine, await champion
    finally:
        champion.cancel()
        await asyncio.gather(champion, reading, return_exceptions=True)


def _read(given: jobs.Input) -> HeldOut:
    import sklearn.metrics  # noqa: F401  (a second's import that the replicas' start hides)

    return held_out.read(given)


def _candidate(given: jobs.Input) -> _Version:
    validate = given["serving"].get("inputs", ()) is not None
    return _version("The package", "candidate", given, validate)


def _version(name: str, revision: str, given: dict[str, Any], validate: bool) -> _Version:
    prediction, probability = given["prediction"], given.get("probability")
    return _Version(
        name,
        revision,
        Path(given["package"]),
        given["python"],
        prediction,
        probability,
        validate,
        bool(given.get("model")),
    )


async def _ask_champion(given: jobs.Input, reading: asyncio.Future[HeldOut]) -> Sequence[Answer] | str:
    """Its answers for the compared rows, or a sentence where it gave none."""
    champion = given.get("champion")
    if champion is None:
        return "no other version serves"
    # Not validated: an input that grew a null since then is for its own scoring script to judge. Nor need that have a run_batch.
    version = _version(f"The champion {champion['name']}", "champion", champion, validate=False)
    try:
        return await _ask(
            version, {**given["serving"], "batching": None}, reading, lambda data: data.compared
        )
    except LoopwrightError as error:
        return error.message


async def _ask(
    version: _Version,
    serving: dict[str, Any],
    reading: asyncio.Future[HeldOut],
    chosen: Callable[[HeldOut], Sequence[int]],
) -> Sequence[Answer]:
    settings = settings_for(version.package, version.python, version.revision, serving, version.validate)
    async with running(settings, version.name, sys.stderr) as replica:
        data = await asyncio.shield(reading)
        inputs = read_package_file(version.package, "signature.json")["inputs"]
        requests = rows.requests(data.frame.iloc[list(chosen(data))], inputs)
        await replica.ready(_START_TIMEOUT)
        wanted = Reading(version.prediction, version.probability, data.question.task)
        answers = await ask(replica.session, requests, settings.limits, wanted, version.name)
        return of_the_positive(answers, data.question.positive) if version.model else answers


def _compared(
    champion: dict[str, Any] | None, data: HeldOut, mine: Sequence[Answer], theirs: Sequence[Answer] | str
) -> gates.Champion | None:
    if champion is None:
        return None
    if isinstance(theirs, str):
        return gates.Champion(champion["name"], None, None, theirs)
    if not data.compared:
        why = "every held-out row is among those that one of the two trained on"
        return gates.Champion(champion["name"], None, None, why)
    slicing, truth = data.slicing.take(data.compared), [data.labels[row] for row in data.compared]
    same = [mine[row] for row in data.compared]
    own, candidate = (slicing.side(judging.judged(truth, said), data.question) for said in (theirs, same))
    return gates.Champion(champion["name"], own, candidate)


if __name__ == "__main__":
    jobs.main(work)
