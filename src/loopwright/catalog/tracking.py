"""The tracking server and model registry: MLflow, by its REST API.

Every `ensure_...` may be called again, after a crash or a late answer too, and then finds what the first call made.
"""

from __future__ import annotations

import re
import time

from loopwright.catalog.models import Models, ModelVersion
from loopwright.catalog.runs import Run
from loopwright.errors import PermanentError, TemporaryError

__all__ = ["ModelVersion", "Run", "Tracking"]

OLDEST = (3, 17)  # MLflow version; the oldest that the tests run against
_BETWEEN_LOOKS = 0.05  # seconds


class Tracking(Models):
    """A client of one server. Safe to use from several threads.

    Raises TemporaryError where the server does not answer or fails, NotFoundError for what it does not have, and
    PermanentError, with MLflow's own words, for what it refuses.
    """

    def __init__(self, url: str) -> None:
        from loopwright.catalog.rest import Rest  # brings an HTTP client: only where one is used

        self._rest = Rest(url)
        self.url = self._rest.url

    def ready(self) -> str:
        """The server's version; raises TemporaryError where it does not answer, PermanentError where it is too old."""
        version = self._rest.text("/version").strip()
        found = re.match(r"(\d+)\.(\d+)", version)
        if found is None:
            raise PermanentError(f"{self.url} is no MLflow server: its version is {version[:60]!r}.")
        if (int(found[1]), int(found[2])) < OLDEST:
            oldest = ".".join(map(str, OLDEST))
            raise PermanentError(
                f"The MLflow server {self.url} has version {version}, expected {oldest} or newer. Upgrade it."
            )
        return version

    def wait(self, timeout: float) -> str:
        """The server's version once it answers; raises TemporaryError where it does not within `timeout` seconds."""
        deadline = time.monotonic() + timeout
        while True:
            try:
                return self.ready()
            except TemporaryError:
                if time.monotonic() >= deadline:
                    raise
                time.sleep(_BETWEEN_LOOKS)

    def close(self) -> None:
        """Close the connections."""
        self._rest.close()
