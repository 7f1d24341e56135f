"""What is said over HTTP besides /score: a speaker turns a body into rows, and answers or refusals into its bodies.

The edge (`app`) reads the body and bounds it, counts the request and sends what a speaker writes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol

import msgspec

from loopwright.scoring import tabular
from loopwright.scoring.aside import LARGE, LARGE_CSV, Aside
from loopwright.scoring.context import Context
from loopwright.scoring.open_inference import OpenInference, ask
from loopwright.scoring.protocols import mlflow, oip_rest
from loopwright.scoring.refusals import NotThere, UnknownMediaType
from loopwright.scoring.rows import Parsed, Parser
from loopwright.scoring.service import Service

JSON = "application/json"


Header = tuple[str, str]


class Headers(Protocol):
    """A request's headers, by lower-case name."""

    def get(self, key: str, default: None = None) -> str | None: ...


class Reply(NamedTuple):
    """A body that goes out with status 200."""

    body: bytes
    content_type: str = JSON
    headers: tuple[Header, ...] = ()


class Speaker(Protocol):
    """One way to ask the model; `route` is its path, as a template."""

    route: str

    async def ask(self, body: bytes, headers: Headers, context: Context) -> Reply:
        """The answer to a body; raises Refusal."""
        ...

    def refuse(self, status: int, code: str, message: str, details: dict[str, object]) -> bytes:
        """The body of an error."""
        ...


def refuse(_status: int, code: str, message: str, details: dict[str, object]) -> bytes:
    """The body of an error as this server writes it where no protocol says otherwise."""
    return msgspec.json.encode({"error": {"code": code, "message": message, **details}})


class Infer:
    """POST /v2/models/{model}/infer."""

    route = "/v2/models/{model}/infer"

    def __init__(self, oip: OpenInference, aside: Aside) -> None:
        self._oip = oip
        self._aside = aside

    async def ask(self, body: bytes, headers: Headers, context: Context) -> Reply:
        told = headers.get(oip_rest.BINARY_LENGTH)
        request = await self._aside.do(len(body) > LARGE, oip_rest.decode, body, told)
        answers = await self._oip.infer(request, context)
        content, length = oip_rest.encode(self._oip.model, self._oip.version, request.id, answers)
        if length is None:
            return Reply(content)
        return Reply(content, "application/octet-stream", ((oip_rest.BINARY_LENGTH, str(length)),))

    def refuse(self, _status: int, _code: str, message: str, _details: dict[str, object]) -> bytes:
        return oip_rest.error(message)


def _framed(body: bytes, parser: Parser) -> Parsed:
    """The rows of a JSON body."""
    given = mlflow.decode(body, parser.inputs)
    return parser.columnar(given) if isinstance(given, dict) else parser.table(given)


_READ: dict[str, Callable[[bytes, Parser], Parsed]] = {
    JSON: _framed,
    **dict.fromkeys(tabular.CSV_TYPES, tabular.rows),
}


class Invocations:
    """POST /invocations."""

    route = "/invocations"

    def __init__(self, service: Service) -> None:
        self._service = service

    async def ask(self, body: bytes, headers: Headers, context: Context) -> Reply:
        parser = self._service.parser
        if parser is None:
            raise NotThere("This model has no signature, so rows cannot be read. Post to /score instead.")
        kind = (headers.get("content-type") or JSON).partition(";")[0].strip().lower()
        if kind not in _READ:
            raise UnknownMediaType(f"The body has Content-Type {kind!r}, expected {JSON} or text/csv.")
        large = len(body) > (LARGE if kind == JSON else LARGE_CSV)
        parsed = await self._service.aside.do(large, _READ[kind], body, parser)
        answers = await ask(self._service, parsed, context)
        return Reply(await self._service.aside.do(large, mlflow.encode, answers))

    def refuse(self, status: int, _code: str, message: str, _details: dict[str, object]) -> bytes:
        return mlflow.error(status, message)
