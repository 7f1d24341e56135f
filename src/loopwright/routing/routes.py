"""The route table: which path leads to which clusters, for whose keys, and what is tried again."""

from __future__ import annotations

from loopwright.errors import EngineError
from loopwright.routing.listener import FORWARDING, ROUTES_NAME
from loopwright.routing.resources import TYPE, Resource, routes, seconds
from loopwright.routing.table import Endpoint, Table

_RETRIES = 3
# How often another host is drawn until it is one not tried yet. A dead replica has the fewest requests and so is drawn
# first: with 5 draws between two replicas, every sixth retry went back to the dead one.
_HOST_ATTEMPTS = 32
# `reset` is what a killed replica looks like to a request in flight. Never 503 or 504: both mean too much work already.
_RETRY_IDEMPOTENT = "connect-failure,refused-stream,reset"
_RETRY_UNSENT = "connect-failure,refused-stream"
# Bytes of a body kept to send it again; a longer one is passed on but can no longer be retried.
_RETRY_BODY = 1 << 20


def render_routes(table: Table) -> Resource:
    """The route configuration resource (RDS) of a table; all other paths answer 404.

    Raises EngineError for a key that is empty or that two clients of one endpoint share.
    """
    ordered = sorted(table.endpoints, key=lambda endpoint: endpoint.path)
    return routes(
        [
            {
                "name": ROUTES_NAME,
                "virtual_hosts": [
                    {
                        "name": "all",
                        "domains": ["*"],
                        "routes": [*map(_route, ordered), _nothing_there()],
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


def _route(endpoint: Endpoint) -> Resource:
    return {
        "name": endpoint.name,
        "match": {"path": endpoint.path},
        "route": {
            "weighted_clusters": {
                "clusters": [{"name": share.cluster, "weight": share.weight} for share in endpoint.shares]
            },
            "prefix_rewrite": "/score",
            "timeout": seconds(endpoint.timeout),
            "retry_policy": _retries(endpoint.idempotent),
        },
        "request_body_buffer_limit": _RETRY_BODY,
        "typed_per_filter_config": {"keys": _keys(endpoint) if endpoint.keys else _open()},
    }


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


def _keys(endpoint: Endpoint) -> Resource:
    _check_keys(endpoint)
    return {
        "@type": TYPE + "envoy.extensions.filters.http.api_key_auth.v3.ApiKeyAuthPerRoute",
        "credentials": [{"client": client, "key": key} for client, key in sorted(endpoint.keys.items())],
        # Said again here: a route's settings replace the filter's also where they are left out (seen with Envoy 1.40).
        "forwarding": FORWARDING,
    }


def _check_keys(endpoint: Endpoint) -> None:
    """Envoy would refuse these too, but repeat the key in doing so."""
    clients: dict[str, str] = {}
    for client, key in sorted(endpoint.keys.items()):
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
