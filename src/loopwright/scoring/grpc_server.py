"""The Open Inference Protocol over gRPC, beside the HTTP listener in the same event loop; only where it is switched on.

Nothing else in the replica imports grpc or protobuf, so that who does not use them neither waits for them nor holds them.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
from google.protobuf.message import DecodeError

from loopwright.errors import MachineError
from loopwright.scoring.address import Address
from loopwright.scoring.aside import LARGE
from loopwright.scoring.context import TEST, Context
from loopwright.scoring.failure_log import FailureLog
from loopwright.scoring.listener import clear
from loopwright.scoring.logs import Log
from loopwright.scoring.open_inference import OpenInference
from loopwright.scoring.protocols import grpc_messages, oip_grpc
from loopwright.scoring.refusals import (
    BodyTooLarge,
    Busy,
    Failed,
    InvalidInput,
    Late,
    NotJson,
    NotThere,
    Refusal,
)
from loopwright.scoring.service import Service

_CODES: dict[type[Refusal], grpc.StatusCode] = {
    NotJson: grpc.StatusCode.INVALID_ARGUMENT,
    InvalidInput: grpc.StatusCode.INVALID_ARGUMENT,
    BodyTooLarge: grpc.StatusCode.RESOURCE_EXHAUSTED,
    NotThere: grpc.StatusCode.NOT_FOUND,
    Late: grpc.StatusCode.DEADLINE_EXCEEDED,
    Failed: grpc.StatusCode.INTERNAL,
}
_STATUSES = {  # how a call is counted beside those over HTTP
    grpc.StatusCode.INVALID_ARGUMENT: 422,
    grpc.StatusCode.NOT_FOUND: 404,
    grpc.StatusCode.CANCELLED: 499,
    grpc.StatusCode.UNAVAILABLE: 503,
    grpc.StatusCode.DEADLINE_EXCEEDED: 504,
}
_OPTIONS = (("grpc.so_reuseport", 0), ("grpc.max_concurrent_streams", 1024))
Answer = Callable[[Any, grpc.aio.ServicerContext], Awaitable[Any]]


class GrpcServer:
    """Answers GRPCInferenceService on a socket or address of its own."""

    def __init__(self, service: Service, oip: OpenInference, ids: Iterator[str], log: Log) -> None:
        self._service = service
        self._oip = oip
        self._ids = ids
        self._log = log
        self._failures = FailureLog(log)
        self._messages = grpc_messages.classes()
        self._place: Path | Address | None = None
        largest = ("grpc.max_receive_message_length", service.limits.max_body)
        self._server = grpc.aio.server(options=(*_OPTIONS, largest))
        self._server.add_generic_rpc_handlers((self._handlers(),))
        self.active = 0  # calls for inference that have no answer yet

    async def start(self, place: Path | Address) -> None:
        """Listen; raises MachineError where that cannot be had."""
        if isinstance(place, Path):
            clear(place)
        target = f"unix:{place}" if isinstance(place, Path) else str(place)
        try:
            bound = self._server.add_insecure_port(target)
            await self._server.start()
        except RuntimeError:
            bound = 0
        if not bound:
            raise MachineError(f"gRPC cannot be served at {place}: it is taken, or not to be had.")
        _own(place)
        self._place = place

    def vanish(self) -> None:
        """A new connection now fails at once; those that are made stay."""
        if isinstance(self._place, Path):
            self._place.unlink(missing_ok=True)

    async def stop(self, patience: float) -> None:
        """Take no more calls, and let those that came be answered for so many seconds."""
        await self._server.stop(patience)

    def _handlers(self) -> grpc.GenericRpcHandler:
        answers: dict[str, Answer] = {
            "ServerLive": self._live,
            "ServerReady": self._ready,
            "ModelReady": self._model_ready,
            "ServerMetadata": self._server_metadata,
            "ModelMetadata": self._model_metadata,
        }
        handlers = {
            name: grpc.unary_unary_rpc_method_handler(
                _of_whole(answers[name]),
                request_deserializer=_reader(self._messages[f"{name}Request"]),
                response_serializer=self._messages[f"{name}Response"].SerializeToString,
            )
            for name in answers
        }
        # These as bytes, both ways: their sizes are counted, and what there is no room for is not read.
        handlers["ModelInfer"] = grpc.unary_unary_rpc_method_handler(self._infer)
        return grpc.method_handlers_generic_handler(grpc_messages.SERVICE, handlers)

    async def _live(self, _request: Any, _call: Any) -> Any:
        return self._messages["ServerLiveResponse"](live=True)

    async def _ready(self, _request: Any, _call: Any) -> Any:
        return self._messages["ServerReadyResponse"](ready=self._oip.ready)

    async def _model_ready(self, request: Any, call: Any) -> Any:
        await self._check(request.name, request.version, call)
        return self._messages["ModelReadyResponse"](ready=self._oip.ready)

    async def _server_metadata(self, _request: Any, _call: Any) -> Any:
        return self._messages["ServerMetadataResponse"](**self._oip.server())

    async def _model_metadata(self, request: Any, call: Any) -> Any:
        await self._check(request.name, request.version, call)
        return self._messages["ModelMetadataResponse"](**self._oip.metadata(request.name, request.version))

    async def _check(self, name: str, version: str, call: Any) -> None:
        try:
            self._oip.check(name, version)
        except NotThere as refusal:
            await call.abort(grpc.StatusCode.NOT_FOUND, refusal.message)

    async def _infer(self, message: bytes, call: Any) -> bytes:
        context = self._context(call)
        budget, held, filled = self._service.budget, 0, b""
        self.active += 1
        code, why = grpc.StatusCode.CANCELLED, ""  # unless it comes to an end: the client may go away
        try:
            budget.take(len(message))
            held = context.size = len(message)
            large = held > LARGE
            request = await self._service.aside.do(
                large, self._messages["ModelInferRequest"].FromString, message
            )
            self._oip.check(request.model_name, request.model_version)
            self._service.check()
            asked = await self._service.aside.do(large, oip_grpc.decode, request)
            answers = await self._oip.infer(asked, context)
            response = self._messages["ModelInferResponse"]()
            oip_grpc.encode(response, self._oip.model, self._oip.version, asked.id, answers)
            filled = response.SerializeToString()
            context.size += len(filled)
            code = grpc.StatusCode.OK
        except Refusal as refusal:
            code, why = self._refused(refusal, context)
        except DecodeError:
            code, why = grpc.StatusCode.INVALID_ARGUMENT, "The message is not a ModelInferRequest."
        except Exception as error:  # the root of a call's handling
            self._log.error("request-failed", id=context.id, error=repr(error))
            code, why = (
                grpc.StatusCode.INTERNAL,
                "The replica failed on this request; its log explains the id.",
            )
        finally:
            self.active -= 1
            budget.give(held)
            status = 200 if code is grpc.StatusCode.OK else _STATUSES.get(code, 500)
            self._service.finished(context, status)
        call.set_trailing_metadata((("x-request-id", context.id),))
        if code is not grpc.StatusCode.OK:
            await call.abort(code, why)
        return filled

    def _refused(self, refusal: Refusal, context: Context) -> tuple[grpc.StatusCode, str]:
        if isinstance(refusal, Busy):
            return grpc.StatusCode.UNAVAILABLE, refusal.message
        if isinstance(refusal, Failed):
            self._failures.explain(context, refusal)
            return grpc.StatusCode.INTERNAL, f"{refusal.message} Its id is {context.id}."
        return _CODES.get(type(refusal), grpc.StatusCode.INVALID_ARGUMENT), refusal.message

    def _context(self, call: Any) -> Context:
        told = {name: value for name, value in call.invocation_metadata() or () if isinstance(value, str)}
        return Context(
            next(self._ids),
            time.perf_counter(),
            time.time(),
            told.get("x-loopwright-request-id") or told.get("x-request-id"),
            told.get("x-loopwright-role") or TEST,
            told.get("traceparent"),
            f"/{grpc_messages.SERVICE}/ModelInfer",
        )


def _reader(message: Any) -> Callable[[bytes], Any]:
    """Reads messages, None where the bytes are none: what a deserializer raises, grpc answers by UNKNOWN."""

    def read(content: bytes) -> Any:
        try:
            return message.FromString(content)
        except DecodeError:
            return None

    return read


def _of_whole(answer: Answer) -> Answer:
    """The same for messages that could be read."""

    async def answered(request: Any, call: Any) -> Any:
        if request is None:
            await call.abort(grpc.StatusCode.INVALID_ARGUMENT, "The message is not what this method takes.")
        return await answer(request, call)

    return answered


def _own(place: Path | Address) -> None:
    """Let nobody but its owner use a socket; grpc makes it for all whom the umask lets."""
    if isinstance(place, Path):
        place.chmod(0o600)
