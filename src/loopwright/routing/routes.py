"""The route table: which path leads to which clusters, for whose keys, and what is tried again.

Below an endpoint's prefix lie the replica's own paths, those that are listed here: the model's protocols and its health,
and never its metrics. Health, and the page to try the model on, are open to all; scoring needs a key, and writing labels
another one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from loopwright.errors import EngineError
from loopwright.routing.listener import ENDPOINT_HEADER, FORWARDING, ROUTES_NAME
from loopwright.routing.resources import TYPE, Resource, routes, seconds
from loopwright.routing.table import Endpoint, Table, grpc_cluster

_RETRIES = 3
# How often another host is drawn until it is one not tried yet. A dead replica has the fewest requests and so is drawn
# first: with 5 draws between two replicas, every sixth retry went back to the dead one.
_HOST_ATTEMPTS = 32
# `reset` is what a killed replica looks like to a request in flight. Never 503 or 504: both mean too much work already.
_RETRY_IDEMPOTENT = "connect-failure,refused-stream,reset"
_RETRY_UNSENT = "connect-failure,refused-stream"
# Paths of a replica, below its prefix, as regular expressions.
_OPEN = "|".join(("", "healthz", "readyz", "ping", "health", "docs", "v2/health/live", "v2/health/ready"))
_MODEL = "|".join(("invocations", "version", r"openapi\.json", r"swagger\.json", "v2/?", "v2/models/.*"))
_INVOCATIONS = "/invocations"
GRPC_SERVICE = "/inference.GRPCInferenceService/"
_ROLE, _LIVE, _TEST = "x-loopwright-role", "live", "test"
# Bytes of a body kept to send it again; a longer one is passed on but can no longer be retried.
_RETRY_BODY = 1 << 20


def render_routes(table: Table) -> Resource:
    """The route configuration resource (RDS) of a table; all other paths answer 404.

    Raises EngineError for a key that is empty or that two clients of one endpoint share.
    """
    ordered = sorted(table.endpoints, key=lambda endpoint: endpoint.prefix)
    found = [route for endpoint in ordered for route in _routes(endpoint)]
    return routes(
        [
            {
                "name": ROUTES_NAME,
                "virtual_hosts": [
                    {
                        "name": "all",
                        "domains": ["*"],
                        "routes": [*found, _nothing_there()],
                    }
                ],
            }
        ]
    )


def clusters_routed(resource: Resource | None) -> frozenset[str]:
    """The clusters that a route configuration sends requests to."""
    return frozenset(
        share["name"]
        for configuration in (resource or {}).get("resources", ())
        for host in configuration["virtual_hosts"]
        for route in host["routes"]
        for share in route.get("route", {}).get("weighted_clusters", {}).get("clusters", ())
    )


def _routes(endpoint: Endpoint) -> list[Resource]:
    """The first that matches counts, and most requests are for /score."""
    prefix, below = endpoint.prefix, f"{re.escape(endpoint.prefix)}/"
    keys = _keys(endpoint, endpoint.keys) if endpoint.keys else _open()
    feedback = _keys(endpoint, endpoint.feedback_keys)
    told = {"request_headers_to_add": _headers({_ROLE: _LIVE, "x-loopwright-prefix": prefix})}
    found = [
        _route(endpoint, {"path": f"{prefix}/score", "headers": _PREFLIGHT}, _open())
        if endpoint.keys
        else None,
        *(_test(endpoint, client, key) for client, key in sorted(endpoint.test_keys.items())),
        _route(endpoint, {"path": f"{prefix}/score"}, keys),
        _route(endpoint, {"safe_regex": {"regex": f"{below}(?:{_OPEN})"}}, _open()),
        _route(
            endpoint,
            {"safe_regex": {"regex": f"{below}(?:feedback|{_MODEL})"}, "headers": _PREFLIGHT},
            _open(),
        ),
        _route(endpoint, {"path": f"{prefix}/feedback"}, feedback),
        _route(endpoint, {"safe_regex": {"regex": f"{below}(?:{_MODEL})"}}, keys) | told,
        _deployments(endpoint, keys),
        *(_grpc(endpoint, header, keys) for header in _named(endpoint) if endpoint.grpc),
    ]
    return [route for route in found if route is not None]


# What a browser asks before it lets a page ask; it sends no key with it.
_PREFLIGHT: list[Resource] = [
    {"name": ":method", "string_match": {"exact": "OPTIONS"}},
    {"name": "access-control-request-method", "present_match": True},
]


def _route(endpoint: Endpoint, match: Resource, keys: Resource) -> Resource:
    return {
        "name": endpoint.name,
        "match": match,
        "route": {
            "weighted_clusters": {
                "clusters": [{"name": share.cluster, "weight": share.weight} for share in endpoint.shares]
            },
            **_rewritten(endpoint, match),
            "timeout": seconds(endpoint.timeout),
            "retry_policy": _retries(endpoint.idempotent),
        },
        "request_headers_to_add": _headers({_ROLE: _LIVE}),
        "request_body_buffer_limit": _RETRY_BODY,
        "typed_per_filter_config": {"keys": keys},
    }


def _test(endpoint: Endpoint, client: str, key: str) -> Resource:
    """The same for our own tests; their key is what tells them from live requests, before anything is known of the client."""
    sent = {"name": "authorization", "string_match": {"exact": f"Bearer {key}"}}
    match = {"path": f"{endpoint.prefix}/score", "headers": [sent]}
    told = {"request_headers_to_add": _headers({_ROLE: _TEST})}
    return _route(endpoint, match, _keys(endpoint, {client: key})) | told


def _rewritten(endpoint: Endpoint, match: Resource) -> Resource:
    """The replica's own path."""
    if "path" in match:
        return {"prefix_rewrite": match["path"].removeprefix(endpoint.prefix)}
    if "safe_regex" in match:
        pattern = {"regex": f"^{re.escape(endpoint.prefix)}"}
        return {"regex_rewrite": {"pattern": pattern, "substitution": ""}}
    return {}


def _deployments(endpoint: Endpoint, keys: Resource) -> Resource:
    """Where `mlflow.deployments` asks whose target is the environment: it writes its own path before an endpoint's name."""
    path = f"/{endpoint.environment}/endpoints/{endpoint.workload}{_INVOCATIONS}"
    route = _route(endpoint, {"path": path}, keys)
    route["route"]["prefix_rewrite"] = _INVOCATIONS
    return route


def _grpc(endpoint: Endpoint, named: Resource, keys: Resource) -> Resource:
    """Calls of the Open Inference Protocol; all endpoints share their paths, so that a header names the endpoint."""
    route = _route(endpoint, {"prefix": GRPC_SERVICE, "grpc": {}, "headers": [named]}, keys)
    shares = [{"name": grpc_cluster(share.cluster), "weight": share.weight} for share in endpoint.shares]
    route["route"]["weighted_clusters"]["clusters"] = shares
    return route


def _named(endpoint: Endpoint) -> list[Resource]:
    """Metadata, or the authority: `titanic.prod` for prod/titanic."""
    authority = f"{endpoint.workload}.{endpoint.environment}"
    return [
        {"name": ENDPOINT_HEADER, "string_match": {"exact": endpoint.name}},
        {"name": ":authority", "string_match": {"exact": authority}},
    ]


def _headers(values: Mapping[str, str]) -> list[Resource]:
    return [
        {"header": {"key": name, "value": value}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}
        for name, value in values.items()
    ]


def _retries(idempotent: bool) -> Resource:
    return {
        "retry_on": _RETRY_IDEMPOTENT if idempotent else _RETRY_UNSENT,
        "num_retries": _RETRIES,
        "retry_host_predicate": [
            {
                "name": "envoy.retry_host_predicates.previous_hosts",
                "typed_config": {
                    "@type": TYPE + "envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate"
                },
            }
        ],
        "host_selection_retry_max_attempts": _HOST_ATTEMPTS,
        "retry_back_off": {"base_interval": seconds(0.010), "max_interval": seconds(0.200)},
    }


def _keys(endpoint: Endpoint, keys: Mapping[str, str]) -> Resource:
    """Where there are none, nobody is let in."""
    _check_keys(endpoint, keys)
    return {
        "@type": TYPE + "envoy.extensions.filters.http.api_key_auth.v3.ApiKeyAuthPerRoute",
        "credentials": [{"client": client, "key": key} for client, key in sorted(keys.items())],
        # Said again here: a route's settings replace the filter's also where they are left out (seen with Envoy 1.40).
        "forwarding": FORWARDING,
    }


def _check_keys(endpoint: Endpoint, keys: Mapping[str, str]) -> None:
    """Envoy would refuse these too, but repeat the key in doing so."""
    clients: dict[str, str] = {}
    for client, key in sorted(keys.items()):
        if not key:
            raise EngineError(
                f"The endpoint {endpoint.name} has an empty key for the client {client}; give it a key."
            )
        if key in clients:
            raise EngineError(
                f"The endpoint {endpoint.name} has the same key for the clients {clients[key]} and {client}; give each its own."
            )
        clients[key] = client


def _open() -> Resource:
    return {"@type": TYPE + "envoy.config.route.v3.FilterConfig", "disabled": True}


def _nothing_there() -> Resource:
    return {
        "name": "not-found",
        "match": {"prefix": "/"},
        "direct_response": {"status": 404},
        "typed_per_filter_config": {"keys": _open()},
    }
