"""The functional test job: the user's cases as real HTTP requests to the deployed endpoint.

Run by the engine as `python -m loopwright.evaluation.functional_job FOLDER`. A case that fails is a result (`passed`
is false, with its reasons), not a failure of this job. Cases are sent one after another, in the file's order.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from loopwright import jobs
from loopwright.errors import StepFailed
from loopwright.evaluation import cases

if TYPE_CHECKING:
    import httpx

_WITHIN = 30.0  # seconds that an answer may take beyond the case's own max_time, before it is called lost


def work(given: jobs.Input, outputs: Path) -> jobs.Output:
    """Send the cases of `given`; writes functional.json."""
    if not given["cases"]:
        raise StepFailed(
            f"{given['file']} has no cases, expected at least one; a test that checks nothing would always pass."
        )
    results = asyncio.run(_send_all(given))
    output = {"passed": all(result["passed"] for result in results), "cases": results}
    (outputs / "functional.json").write_text(json.dumps(output, indent=2) + "\n")
    return output


async def _send_all(given: jobs.Input) -> list[dict[str, Any]]:
    import httpx

    # Proxies of the environment are for the internet, not for an endpoint of ours.
    async with httpx.AsyncClient(trust_env=False, follow_redirects=False, timeout=None) as client:  # noqa: S113
        return [await _result(client, given["url"], given.get("key"), case) for case in given["cases"]]


async def _result(
    client: httpx.AsyncClient, url: str, key: str | None, case: Mapping[str, Any]
) -> dict[str, Any]:
    began = time.perf_counter()
    try:
        response = await _send(client, url, key, case)
    except OSError as error:
        reasons, seconds = [str(error)], time.perf_counter() - began
    else:
        reasons, seconds = cases.check(case, response), response.seconds
    milliseconds = round(seconds * 1000, 1)
    return {"name": case["name"], "passed": not reasons, "reasons": reasons, "milliseconds": milliseconds}


async def _send(
    client: httpx.AsyncClient, url: str, key: str | None, case: Mapping[str, Any]
) -> cases.Response:
    """Send one case and read the whole answer; raises an OSError with a sentence where none came."""
    import httpx

    headers = {"content-type": case.get("content_type", "application/json")}
    if key is not None and case.get("authenticated", True):
        headers["authorization"] = f"Bearer {key}"
    text = case["request_text"] if "request_text" in case else json.dumps(case["request"])
    within = _WITHIN + (case["expect"].get("max_time") or 0.0)
    began = time.perf_counter()
    try:
        async with asyncio.timeout(within):
            response = await client.post(url, content=text.encode(), headers=headers)
    except TimeoutError:
        raise TimeoutError(f"no whole answer within {within:g} s") from None
    except httpx.HTTPError as error:
        raise ConnectionError(f"no whole answer: {type(error).__name__} {error}".rstrip()) from None
    return cases.Response(response.status_code, response.content, time.perf_counter() - began)


if __name__ == "__main__":
    jobs.main(work)
