"""A real replica of a script as a process, for tests that look at it from outside: through the gateway, or with clients."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

from waiting import until

_READY = b"GET /readyz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"


class Served:
    """`python -m loopwright.scoring` in a folder of its own; `socket` is the path of its socket."""

    def __init__(
        self, folder: Path, script: str, example: dict[str, Any] | None = None, **settings: Any
    ) -> None:
        package = folder / "package"
        (package / "code").mkdir(parents=True)
        (package / "code" / "score.py").write_text(textwrap.dedent(script))
        if example:
            (package / "signature.json").write_text(json.dumps({"example": example}))
        common = {
            "workload": "w", "environment": "dev", "revision": "r", "package": str(package), "entry": "score.py",
            "python": sys.executable,
        }  # fmt: skip
        (folder / "serving.json").write_text(json.dumps(common | settings))
        self.socket = str(folder / "r.sock")
        self.log = folder / "log.txt"
        command = [sys.executable, "-m", "loopwright.scoring", "--settings", str(folder / "serving.json")]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen([*command, "--socket", self.socket], stdout=log, stderr=log)
        until(self._is_ready)

    def _is_ready(self) -> bool:
        import socket

        assert self.process.poll() is None, self.log.read_text()
        with socket.socket(socket.AF_UNIX) as client:
            try:
                client.connect(self.socket)
                client.sendall(_READY)
                return client.recv(100).startswith(b"HTTP/1.1 200")
            except OSError:
                return False

    def stop(self) -> int:
        """Told to end; its exit status."""
        self.process.terminate()
        return self.process.wait(30)
