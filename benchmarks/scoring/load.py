"""Load by wrk: one thread, some connections, bodies in turn; what was answered, how fast, and what was not.

wrk waits for each answer on each connection (a closed loop), so it finds the most that a server does; what a client sees
who does not wait is measured by `pacing`.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

# Requests are made once, before the load: the client must stay faster than any server.
_SCRIPT = """
local made, n = {}, 0
function init(args)
  for line in io.lines(args[1]) do
    made[#made + 1] = wrk.format("POST", nil, {["content-type"] = "application/json"}, line)
  end
end
function request()
  n = n % #made + 1
  return made[n]
end
function done(summary, latency, requests)
  io.write(string.format(
    '\\nFOUND {"requests": %d, "seconds": %f, "p50": %f, "p99": %f, "refused": %d, "broken": %d}\\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e6, latency:percentile(99) / 1e6,
    summary.errors.status, summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout))
end
"""


@dataclass(frozen=True)
class Burst:
    """What came of a load; `p50` and `p99` in seconds, `refused` counts answers of 400 and above."""

    requests: int
    seconds: float
    p50: float
    p99: float
    refused: int
    broken: int

    @property
    def rate(self) -> float:
        """Answers a second."""
        return self.requests / self.seconds


def missing() -> str:
    """What to install where wrk is not there; nothing where it is."""
    if shutil.which("wrk"):
        return ""
    return "wrk is not on the PATH, and it makes the load: install it (Debian, Ubuntu: sudo apt-get install wrk)."


class Wrk:
    """Sends the same bodies again and again; `first`: before all else that the machine has to do."""

    def __init__(self, bodies: Sequence[bytes], folder: Path, first: bool = False) -> None:
        self._before = ["chrt", "-r", "1"] if first else []
        folder.mkdir(parents=True, exist_ok=True)
        self._bodies, self._script = folder / "bodies", folder / "load.lua"
        self._bodies.write_bytes(b"\n".join(bodies) + b"\n")
        self._script.write_text(_SCRIPT)

    def burst(self, url: str, connections: int, seconds: int) -> Burst:
        """Load `url` over that many connections for so long; raises AssertionError where not all was answered well."""
        found = self.run(url, connections, seconds)
        wrong = f"{url}, {connections} connections: {found.refused} of {found.requests} answers were errors, {found.broken} broken"
        assert found.refused + found.broken == 0, wrong
        return found

    def run(self, url: str, connections: int, seconds: int) -> Burst:
        """The same, whatever the answers."""
        command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "30s"]
        done = subprocess.run(
            [*self._before, *command, "-s", str(self._script), url, "--", str(self._bodies)],
            capture_output=True,
            text=True,
            check=False,
        )
        lines = [line for line in done.stdout.splitlines() if line.startswith("FOUND ")]
        assert lines, f"wrk failed: {done.stdout}{done.stderr}"
        return Burst(**json.loads(lines[0].removeprefix("FOUND ")))
