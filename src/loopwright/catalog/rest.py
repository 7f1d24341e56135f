"""HTTP to the MLflow server: one call, its answer as JSON, its refusals as our errors.

We speak MLflow's REST API ourselves: importing its client takes more than a second, and brings what the control plane
does not need. The only module of this room that imports an HTTP client.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import httpx

from loopwright.errors import (
    ConflictError,
    LoopwrightError,
    MachineError,
    NotFoundError,
    PermanentError,
    TemporaryError,
    UsageError,
)

_API = "/api/2.0/mlflow/"
_ARTIFACTS = "/api/2.0/mlflow-artifacts/artifacts/"
_TIMEOUT = httpx.Timeout(30.0, connect=3.0)  # seconds; an upload counts each piece by itself
_UNSAFE = frozenset(
    "#?%\\"
)  # MLflow's server refuses or decodes these in paths, or its client cannot read them
_RETRY_DELAY = 1.0  # seconds
_COLLISION = "IntegrityError"  # SQLAlchemy's, of any database


class Rest:
    """A connection to one server. Safe to use from several threads."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise UsageError(
                f"The tracking server's address {url!r} is no URL such as http://127.0.0.1:5000."
            )
        self.url = url.rstrip("/")
        # What runs on this machine is never reached through a proxy, whatever the environment says.
        self._client = httpx.Client(
            base_url=self.url, timeout=_TIMEOUT, trust_env=not _is_local(parts.hostname)
        )

    def get(self, path: str, parameters: Mapping[str, str]) -> dict[str, Any]:
        """Ask for something."""
        return self._json("GET", path, params=dict(parameters))

    def post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Create or search something."""
        return self._json("POST", path, json=body)

    def patch(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Change something."""
        return self._json("PATCH", path, json=body)

    def delete(self, path: str, body: Mapping[str, Any]) -> None:
        """Take something back."""
        self._json("DELETE", path, json=body)

    def text(self, path: str) -> str:
        """A page that is not part of the API."""
        return self._send("GET", path).text

    def upload(self, path: str, file: Path) -> None:
        """Stream a file to a place below the root of artifacts."""
        if not path.isprintable() or not _UNSAFE.isdisjoint(path):
            raise PermanentError(
                f"MLflow cannot keep a file named {path!r}; rename it, without any of {' '.join(sorted(_UNSAFE))}."
            )
        try:
            with file.open("rb") as content:
                self._send("PUT", _ARTIFACTS + quote(path), content=content)
        except FileNotFoundError as error:
            raise NotFoundError(f"{file} does not exist, so it cannot be kept with the run.") from error
        except OSError as error:
            raise MachineError(f"{file} cannot be read: {error.strerror}.") from error

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _json(self, method: str, path: str, **request: Any) -> dict[str, Any]:
        response = self._send(method, _API + path, **request)
        try:
            answer = response.json()
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            raise self._another(f"its answer to {path} is not a JSON object")
        return answer

    def _send(self, method: str, path: str, **request: Any) -> httpx.Response:
        try:
            response = self._client.request(method, path, **request)
        except httpx.TransportError as error:
            reason = str(error) or type(error).__name__
            raise TemporaryError(
                f"The tracking server {self.url} does not answer: {reason}.", _RETRY_DELAY
            ) from error
        if not response.is_success:
            raise self._refusal(response, path.removeprefix(_API))
        return response

    def _another(self, why: str) -> TemporaryError:
        """Another program answers: it has the port, until it ends or the tracking server is given another."""
        return TemporaryError(
            f"{self.url} is no MLflow server: {why}. Does another program have its port? `loopwright status` says which.",
            _RETRY_DELAY,
        )

    def _refusal(self, response: httpx.Response, path: str) -> LoopwrightError:
        code, message = _told(response)
        status = response.status_code
        told = f"The tracking server {self.url} refused {path} (HTTP {status}): {message}"
        if not code and status in (404, 405):
            return self._another(f"it answers {path} with HTTP {status}")
        if status >= 500 or status in (408, 425, 429):
            return TemporaryError(told, _RETRY_DELAY)
        if code == "RESOURCE_DOES_NOT_EXIST":
            return NotFoundError(told)
        if code == "RESOURCE_ALREADY_EXISTS":
            return ConflictError(told)
        if _COLLISION in message:  # two at once: MLflow looks whether it is there, and then writes
            return TemporaryError(told, _RETRY_DELAY)
        return PermanentError(told)


def _told(response: httpx.Response) -> tuple[str, str]:
    try:
        answer = response.json()
        return str(answer["error_code"]), str(answer.get("message", ""))
    except (ValueError, KeyError, TypeError, AttributeError):
        return "", response.text[:300].strip() or response.reason_phrase


def _is_local(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
