"""The paths of the protocols besides /score: what answers them, made once and looked up by path.

`app` asks here for a path that is none of its own. A page is an answer that needs no body read; a speaker asks the model.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec

from loopwright import __version__
from loopwright.scoring import example
from loopwright.scoring.open_inference import OpenInference
from loopwright.scoring.protocols import docs_page, oip_rest, openapi, swagger
from loopwright.scoring.refusals import NotThere
from loopwright.scoring.service import Service
from loopwright.scoring.speakers import JSON, Header, Headers, Infer, Invocations, Speaker, refuse

_TEXT = "text/plain; charset=utf-8"
Refuse = Callable[[int, str, str, dict[str, object]], bytes]


@dataclass(frozen=True)
class Page:
    """An answer that is known without asking the model."""

    status: int
    body: bytes
    content_type: str = JSON
    headers: tuple[Header, ...] = ()


@dataclass(frozen=True)
class Path:
    """What answers at a path: a speaker, by POST, or a page, by GET; `refuse` writes the errors of either."""

    speaker: Speaker | None = None
    page: Callable[[Headers], Page] | None = None
    refuse: Refuse = refuse
    any_method: bool = False

    @property
    def method(self) -> str:
        """The one that it takes; empty for any."""
        if self.any_method:
            return ""
        return "POST" if self.speaker is not None else "GET"


class ProtocolPaths:
    """Looks paths up."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._settings = service.settings
        self._example = example.whole(service.settings.package)
        self._oip = OpenInference(service, self._example)
        self._infer = Infer(self._oip, service.aside)
        invocations = Invocations(service)
        self._paths = {
            "/invocations": Path(invocations, refuse=invocations.refuse),
            "/ping": Path(page=self._ping),
            "/health": Path(page=self._ping),
            "/version": Path(page=lambda _: Page(200, __version__.encode(), _TEXT)),
            "/openapi.json": Path(page=self._openapi),
            "/swagger.json": Path(page=self._swagger),
            "/docs": Path(page=_docs),
            "/v2": self._oip_page(self._server),
            "/v2/health/live": self._oip_page(lambda _: _json({"live": True})),
            "/v2/health/ready": self._oip_page(self._ready),
        }

    def __iter__(self) -> Any:
        """The paths by which a client may find the rest."""
        return iter(self._paths)

    def find(self, path: str) -> Path | None:
        """What answers at a path; None where nothing does. Raises NotThere for a model that is not served."""
        found = self._paths.get(path) or self._paths.get(path.rstrip("/"))
        if found is None and path.startswith("/v2/models/"):
            return self._of_model(path)
        if found is None and path.startswith("/v2/"):
            return self._missing(_not_offered(path))
        return found

    def _of_model(self, path: str) -> Path:
        """/v2/models/{model}[/versions/{version}][/ready|/infer]"""
        model, *rest = path.removeprefix("/v2/models/").rstrip("/").split("/")
        version = None
        if len(rest) >= 2 and rest[0] == "versions":
            version, *rest = rest[1:]
        try:
            self._oip.check(model, version)
        except NotThere as refusal:
            return self._missing(refusal.message)
        if rest == ["infer"]:
            return Path(self._infer, refuse=self._infer.refuse)
        if rest == ["ready"]:
            return self._oip_page(self._model_ready)
        if not rest:
            return self._oip_page(lambda _: _json(self._oip.metadata(model, version)))
        return self._missing(_not_offered(path))

    def _missing(self, message: str) -> Path:
        body = oip_rest.error(message)
        return Path(page=lambda _: Page(404, body), refuse=self._infer.refuse, any_method=True)

    def _oip_page(self, page: Callable[[Headers], Page]) -> Path:
        return Path(page=page, refuse=self._infer.refuse)

    def _server(self, _headers: Headers) -> Page:
        return _json(self._oip.server())

    def _ready(self, _headers: Headers) -> Page:
        ready = self._oip.ready
        return _json({"ready": ready}, 200 if ready else 503)

    def _model_ready(self, _headers: Headers) -> Page:
        ready = self._oip.ready
        return _json({"name": self._oip.model, "ready": ready}, 200 if ready else 503)

    def _ping(self, _headers: Headers) -> Page:
        return Page(200 if self._oip.ready else 503, b"\n", _TEXT)

    def _openapi(self, headers: Headers) -> Page:
        keyed = headers.get("x-loopwright-client") is not None
        raw = self._service.takes_requests
        return _json(openapi.render(self._settings, self._example, _prefix(headers), keyed, raw))

    def _swagger(self, headers: Headers) -> Page:
        return _json(swagger.render(self._settings, self._example, _prefix(headers)))


def _docs(_headers: Headers) -> Page:
    policy = (("content-security-policy", docs_page.POLICY),)
    return Page(200, docs_page.PAGE, docs_page.CONTENT_TYPE, policy)


def _prefix(headers: Headers) -> str:
    """What stands before our paths where clients see them; only the gateway can say so."""
    return headers.get("x-loopwright-prefix") or ""


def _not_offered(path: str) -> str:
    return f"There is no {path[:200]} here: of the Open Inference Protocol's extensions only binary tensors are offered."


def _json(value: Any, status: int = 200) -> Page:
    return Page(status, msgspec.json.encode(value))
