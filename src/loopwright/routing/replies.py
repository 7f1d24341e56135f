"""The answers that Envoy itself gives, in the same shape as the replica's errors: `{"error": {"code", "message"}}`.

They carry the gateway's request id, which the access log holds; what a replica answers passes unchanged.
"""

from __future__ import annotations

from collections.abc import Mapping

from loopwright.routing.resources import Resource

_MESSAGES: Mapping[int, tuple[str, str]] = {
    400: ("bad-request", "The request is not well-formed HTTP (%RESPONSE_CODE_DETAILS%)."),
    401: ("unauthorized", "No valid key was sent. Send yours as the header `Authorization: Bearer KEY`."),
    403: ("forbidden", "This key is not for this endpoint."),
    404: (
        "not-found",
        "There is no endpoint at this path. Post to /ENVIRONMENT/WORKLOAD/score; a gRPC call names its endpoint by the "
        "metadata x-loopwright-endpoint: ENVIRONMENT/WORKLOAD.",
    ),
    408: ("request-timeout", "The request did not arrive whole in time."),
    413: ("too-large", "The request is larger than the gateway takes."),
    431: ("headers-too-large", "The request's headers are larger than the gateway takes."),
    502: ("bad-gateway", "The replica's answer was not well-formed HTTP (%RESPONSE_CODE_DETAILS%)."),
    503: ("unavailable", "No replica could take the request (%RESPONSE_CODE_DETAILS%). Try again."),
    504: ("timeout", "No answer came in the time that this endpoint allows."),
}
_RETRY_AFTER = "1"  # seconds; by then a killed replica has usually been replaced or taken out


def render_replies() -> Resource:
    """The `local_reply_config` of the listener."""
    return {
        "mappers": [_mapper(code, name, message) for code, (name, message) in _MESSAGES.items()],
        "body_format": _body("gateway", "%LOCAL_REPLY_BODY%"),
    }


def _mapper(code: int, name: str, message: str) -> Resource:
    headers = [_header("x-request-id", "%REQ(X-REQUEST-ID)%")]
    if code == 503:
        headers.append(_header("retry-after", _RETRY_AFTER))
    if code == 401:
        headers.append(_header("www-authenticate", 'Bearer realm="loopwright"'))
    return {
        "filter": _status_is(code),
        "headers_to_add": headers,
        "body_format_override": _body(name, message),
    }


def _body(name: str, message: str) -> Resource:
    return {
        "json_format": {
            "error": {"code": name, "message": message, "request_id": "%REQ(X-REQUEST-ID)%"},
        },
        "content_type": "application/json",
    }


def _header(name: str, value: str) -> Resource:
    return {"header": {"key": name, "value": value}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}


def _status_is(code: int) -> Resource:
    return {
        "status_code_filter": {
            "comparison": {
                "op": "EQ",
                "value": {"default_value": code, "runtime_key": f"loopwright.reply.{code}"},
            }
        }
    }
