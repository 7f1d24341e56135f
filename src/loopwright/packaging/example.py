"""A package's answer to its example: asked of its own replica, before there is a package."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from loopwright.errors import StepFailed
from loopwright.scoring import Settings
from loopwright.scoring.child import Replica, running

START_TIMEOUT = 120.0  # seconds from the start to ready; loading weights takes long
_SPARE = 5.0  # seconds beyond all that the replica itself may take, before its answer is called lost


def ask(settings: Settings, request: Mapping[str, Any], start_timeout: float = START_TIMEOUT) -> Any:
    """The replica's answer to one row; raises StepFailed where it does not come up or does not answer with a 200."""
    name = settings.model.path if settings.model else settings.entry
    return asyncio.run(_ask(settings, name, msgspec.json.encode(request), start_timeout))


async def _ask(settings: Settings, name: str, row: bytes, start_timeout: float) -> Any:
    async with running(settings, name, sys.stdout) as replica:
        await replica.ready(start_timeout)
        return await _answer(replica, name, row, settings.limits.timeout + _SPARE)


async def _answer(replica: Replica, name: str, row: bytes, within: float) -> Any:
    import aiohttp

    headers = {"content-type": "application/json"}
    try:
        async with (
            asyncio.timeout(within),
            replica.session.post("http://replica/score", data=row, headers=headers) as response,
        ):
            status, answer = response.status, msgspec.json.decode(await response.read())
    except (OSError, TimeoutError, aiohttp.ClientError, msgspec.DecodeError) as error:
        tail = "".join(f"\n    {line}" for line in replica.lines())
        raise StepFailed(
            f"{name} gave no answer to the row {row.decode()}: {str(error) or 'too late'}.{tail}"
        ) from error
    if status != 200:
        said = answer["error"]["message"] if isinstance(answer, dict) and "error" in answer else answer
        raise StepFailed(
            f"{name} does not answer a row of its training data: status {status}, {_reason(replica.lines()) or said} The row: {row.decode()}"
        )
    return answer


def _reason(lines: Sequence[str]) -> str:
    """Why the last request failed, as the replica's log has it: exception, file and line of user code."""
    reasons = [str(event["error"]) for event in _events(lines) if event.get("action") == "score-failed"]
    return f"{reasons[-1].rstrip('.')}." if reasons else ""


def _events(lines: Sequence[str]) -> Iterator[dict[str, Any]]:
    for line in lines:
        try:
            event = msgspec.json.decode(line)
        except msgspec.DecodeError:
            continue  # what user code printed
        if isinstance(event, dict):
            yield event
