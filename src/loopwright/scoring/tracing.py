"""Spans of requests, exported where OpenTelemetry's standard variables say so; else nothing of it is even imported.

A span is made when its request is over, from what is known of it anyway, so that the request itself waits for nothing; a
thread of the SDK sends them in batches. Variables: https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/,
attributes: https://opentelemetry.io/docs/specs/semconv/http/http-spans/.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from loopwright.scoring.context import Context
from loopwright.scoring.logs import Log
from loopwright.scoring.protocols import trace
from loopwright.scoring.settings import Settings

if TYPE_CHECKING:
    from opentelemetry.context import Context as Parent

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
_SPOKEN = "http/protobuf"
_LAST_WORDS = 1.0  # seconds for what is not sent yet when the replica ends
_QUIET = 60.0  # seconds between two lines about spans that cannot be sent


def tracer(settings: Settings, environment: Mapping[str, str], log: Log) -> Tracer | None:
    """What exports spans, or None where that is not asked for, or cannot be: then the log says why."""
    exporter = environment.get("OTEL_TRACES_EXPORTER", "otlp").strip().lower()
    disabled = environment.get("OTEL_SDK_DISABLED", "").strip().lower() == "true"
    if disabled or exporter == "none" or not any(environment.get(name) for name in _ENDPOINTS):
        return None
    protocol = next((environment[name] for name in _PROTOCOLS if environment.get(name)), _SPOKEN)
    if exporter != "otlp" or protocol != _SPOKEN:
        found = f"protocol {protocol!r}" if exporter == "otlp" else f"exporter {exporter!r}"
        log.warning(
            "no-traces",
            message=f"Spans are not exported: the {found} is not offered, expected otlp by {_SPOKEN}.",
        )
        return None
    try:
        return Tracer(settings, environment, log)
    except ModuleNotFoundError as error:
        message = f"Spans are not exported: {error.name} is missing; install loopwright[opentelemetry]."
        log.warning("no-traces", message=message)
        return None


class Tracer:
    """Exports a span for each request."""

    def __init__(self, settings: Settings, environment: Mapping[str, str], log: Log) -> None:
        from opentelemetry import trace as api
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor

        logger = logging.getLogger("opentelemetry")
        logger.addHandler(_Trouble(log))
        logger.propagate = False
        self._api = api
        self._provider = TracerProvider(
            resource=Resource.create(_resource(settings, environment)), shutdown_on_exit=False
        )
        self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        self._tracer = self._provider.get_tracer("loopwright.scoring")

    def finished(self, context: Context, status: int, seconds: float) -> None:
        """Export the span of a request that is over."""
        span = self._tracer.start_span(
            f"POST {context.route}",
            self._parent(context),
            kind=self._api.SpanKind.SERVER,
            attributes={
                "http.request.method": "POST",
                "http.route": context.route,
                "http.response.status_code": status,
                "loopwright.request_id": context.id,
                "loopwright.role": context.role,
                "loopwright.rows": len(context.rows or ()),
            },
            start_time=int(context.time * 1e9),
        )
        if status >= 500:
            span.set_status(self._api.StatusCode.ERROR)
        span.end(int((context.time + seconds) * 1e9))

    def close(self) -> None:
        """Send what is left, within a second: the SDK's own limit does not hold while its exporter tries again."""
        sending = threading.Thread(target=self._provider.force_flush, daemon=True)
        sending.start()
        sending.join(_LAST_WORDS)

    def _parent(self, context: Context) -> Parent | None:
        caller = trace.parse(context.trace)
        if caller is None:
            return None
        flags = self._api.TraceFlags(self._api.TraceFlags.SAMPLED if caller.sampled else 0)
        known = self._api.SpanContext(int(caller.trace_id, 16), int(caller.span_id, 16), True, flags)
        return self._api.set_span_in_context(self._api.NonRecordingSpan(known))


def _resource(settings: Settings, environment: Mapping[str, str]) -> dict[str, Any]:
    """What the spans are of; a name that the variables give counts more than ours."""
    ours = {
        "service.name": settings.workload,
        "service.version": settings.version or settings.revision,
        "deployment.environment.name": settings.environment,
        "loopwright.revision": settings.revision,
    }
    told = environment.get("OTEL_RESOURCE_ATTRIBUTES", "")
    named = {pair.partition("=")[0].strip() for pair in told.split(",")}
    named |= {"service.name"} if environment.get("OTEL_SERVICE_NAME") else set()
    return {name: value for name, value in ours.items() if name not in named}


class _Trouble(logging.Handler):
    """What the SDK says goes into the replica's log, and not on every try."""

    def __init__(self, log: Log) -> None:
        super().__init__(logging.WARNING)
        self._log = log
        self._next = 0.0

    def emit(self, record: logging.LogRecord) -> None:
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + _QUIET
            self._log.warning("traces-not-exported", message=record.getMessage()[:500])
