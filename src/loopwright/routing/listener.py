"""The one listener: the port that clients call, and what is done to every request before its route is known."""

from __future__ import annotations

from loopwright.routing.bootstrap import watched
from loopwright.routing.replies import render_replies
from loopwright.routing.resources import TYPE, Resource, listeners, seconds

ROUTES_NAME = "endpoints"
STATISTICS = "gateway"  # Envoy's statistics of this listener begin with `http.gateway.`
CLIENT_HEADER = "x-loopwright-client"
ENDPOINT_HEADER = (
    "x-loopwright-endpoint"  # the one of our headers that clients say: which endpoint a gRPC call is for
)
REQUEST_ID_HEADER = (
    "x-loopwright-request-id"  # what the client calls its request; `x-request-id` is the gateway's
)
# The replica is told who calls, and never with which key.
FORWARDING: Resource = {"header": CLIENT_HEADER, "hide_credentials": True}

_LONGEST_ID = 200  # characters of a client's id that are passed on, and kept of each request
_CARRIED = "x-carried-endpoint"
_FILTERS = "envoy.extensions.filters.http."
_HEADERS_TIMEOUT = 10.0  # seconds for a client to send its request's headers; what is slower is an attack
_REQUEST_TIMEOUT = 60.0  # seconds to send the whole request
_IDLE_TIMEOUT = 300.0  # seconds that a client's unused connection is kept
_STREAMS = 128  # requests at once on one HTTP/2 connection
_WINDOW = 1 << 20  # bytes; HTTP/2 flow control of one connection


def render_listener(host: str, port: int, folder: str, access_log: str) -> Resource:
    """The listener resource (LDS) for `host:port`, taking its routes from `folder`/rds.json.

    Every process that reads it shares the port (SO_REUSEPORT). `access_log` is a file of one JSON object a line.
    """
    return listeners(
        [
            {
                "name": "gateway",
                "address": {"socket_address": {"address": host, "port_value": port}},
                "enable_reuse_port": True,
                "filter_chains": [
                    {
                        "filters": [
                            {
                                "name": "envoy.filters.network.http_connection_manager",
                                "typed_config": _connection_manager(folder, access_log),
                            }
                        ]
                    }
                ],
            }
        ]
    )


def _connection_manager(folder: str, access_log: str) -> Resource:
    return {
        "@type": TYPE + "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": STATISTICS,
        "codec_type": "AUTO",
        "rds": {"route_config_name": ROUTES_NAME, "config_source": watched(f"{folder}/rds.json")},
        "http_filters": [_keys_filter(), _router_filter()],
        "access_log": [_access_log(access_log)],
        "local_reply_config": render_replies(),
        "early_header_mutation_extensions": [_strip_our_headers()],
        **_distrust(),
        "server_name": "loopwright",
        "common_http_protocol_options": {"idle_timeout": seconds(_IDLE_TIMEOUT)},
        "http2_protocol_options": {
            "max_concurrent_streams": _STREAMS,
            "initial_connection_window_size": _WINDOW,
        },
        "request_headers_timeout": seconds(_HEADERS_TIMEOUT),
        "request_timeout": seconds(_REQUEST_TIMEOUT),
    }


def _distrust() -> Resource:
    """No client counts as internal: none may set Envoy's own headers (retries, timeouts) or its request id."""
    return {
        "use_remote_address": True,
        "internal_address_config": {"unix_sockets": False},
        "normalize_path": True,
        "merge_slashes": True,
        "path_with_escaped_slashes_action": "REJECT_REQUEST",
    }


def _keys_filter() -> Resource:
    """Closed unless a route says otherwise: with no keys of its own a route answers 401."""
    return {
        "name": "keys",
        "typed_config": {
            "@type": TYPE + _FILTERS + "api_key_auth.v3.ApiKeyAuth",
            "key_sources": [{"header": "authorization"}, {"header": "x-api-key"}],
            "forwarding": FORWARDING,
        },
    }


def _router_filter() -> Resource:
    return {
        "name": "router",
        "typed_config": {
            "@type": TYPE + _FILTERS + "router.v3.Router",
            # Our clients see the replica's headers and not how often or how long Envoy tried.
            "suppress_envoy_headers": True,
        },
    }


def _strip_our_headers() -> Resource:
    """Only the gateway may say `x-loopwright-*` (the replica believes it), `x-envoy-*` (Envoy obeys it: retries, timeouts)
    and which request this is. Loopback counts as internal to Envoy, so its own rules would let local clients do so.

    What clients may tell us is carried over what is removed; an absent header is carried over as none."""
    return {
        "name": "strip-our-headers",
        "typed_config": {
            "@type": TYPE + "envoy.extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation",
            "mutations": [
                _copied(ENDPOINT_HEADER, _CARRIED),
                {"remove_on_match": {"key_matcher": {"prefix": "x-loopwright-", "ignore_case": True}}},
                {"remove_on_match": {"key_matcher": {"prefix": "x-envoy-", "ignore_case": True}}},
                _copied(_CARRIED, ENDPOINT_HEADER),
                {"remove": _CARRIED},
                _copied("x-request-id", REQUEST_ID_HEADER, _LONGEST_ID),
                {"remove": "x-request-id"},
            ],
        },
    }


def _copied(source: str, target: str, longest: int = 1000) -> Resource:
    return {
        "append": {
            "header": {"key": target, "value": f"%REQ({source}):{longest}%"},
            "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
        }
    }


def _access_log(path: str) -> Resource:
    return {
        "name": "file",
        "typed_config": {
            "@type": TYPE + "envoy.extensions.access_loggers.file.v3.FileAccessLog",
            "path": path,
            "log_format": {
                "omit_empty_values": True,
                "json_format": {
                    "time": "%START_TIME(%Y-%m-%dT%H:%M:%S.%3fZ)%",
                    "action": "request",
                    "request_id": "%REQ(X-REQUEST-ID)%",
                    "replica_request_id": "%RESP(X-REQUEST-ID)%",
                    "client": f"%REQ({CLIENT_HEADER})%",
                    "route": "%ROUTE_NAME%",
                    "method": "%REQ(:METHOD)%",
                    "path": "%PATH(NQ:ORIG_OR_PATH)%",
                    "code": "%RESPONSE_CODE%",
                    "details": "%RESPONSE_CODE_DETAILS%",
                    "flags": "%RESPONSE_FLAGS%",
                    "duration_ms": "%DURATION%",
                    "attempts": "%UPSTREAM_REQUEST_ATTEMPT_COUNT%",
                    "cluster": "%UPSTREAM_CLUSTER_RAW%",
                    "replica": "%UPSTREAM_HOST%",
                    "bytes_received": "%BYTES_RECEIVED%",
                    "bytes_sent": "%BYTES_SENT%",
                },
            },
        },
    }
