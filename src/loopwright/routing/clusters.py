"""Clusters and their members: the replicas of each revision, and the limits within which they are given work."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from loopwright.routing.bootstrap import watched
from loopwright.routing.resources import TYPE, Resource, clusters, members, seconds
from loopwright.routing.table import Address, Cluster, Member, Pipe

_CONNECT_TIMEOUT = 1.0  # seconds; a replica that listens accepts in well under a millisecond
# A replica closes a connection that has been quiet for 75 s; Envoy must let go of it well before, or a request can be sent
# just as it closes.
_IDLE_TIMEOUT = 10.0
_LEAST_LIMIT = 1024


def render_clusters(wanted: Iterable[Cluster], folder: str, idle_timeout: float = _IDLE_TIMEOUT) -> Resource:
    """The cluster resource (CDS); each cluster's members are read from `folder`/eds/NAME.json.

    `idle_timeout`: seconds that an unused connection to a replica is kept; below the replica's own keep-alive timeout.
    """
    ordered = sorted(wanted, key=lambda cluster: cluster.name)
    return clusters([_cluster(cluster, folder, idle_timeout) for cluster in ordered])


def render_members(cluster: str, wanted: Sequence[Member]) -> Resource:
    """The endpoint resource (EDS) of one cluster."""
    ordered = sorted(wanted, key=lambda member: str(member.address))
    return members(
        [{"cluster_name": cluster, "endpoints": [{"lb_endpoints": [_member(one) for one in ordered]}]}]
    )


def clusters_in(resource: Resource | None) -> dict[str, Resource]:
    """The clusters of a cluster resource, by name."""
    return {cluster["name"]: cluster for cluster in (resource or {}).get("resources", ())}


def _cluster(cluster: Cluster, folder: str, idle_timeout: float) -> Resource:
    return {
        "name": cluster.name,
        "type": "EDS",
        "eds_cluster_config": {"eds_config": watched(f"{folder}/eds/{cluster.name}.json")},
        "connect_timeout": seconds(_CONNECT_TIMEOUT),
        "lb_policy": "LEAST_REQUEST",
        # Draining and ejected replicas get nothing while a single other one is left (Envoy's default would send to them
        # when half are). Where none is left they are still better than an error.
        "common_lb_config": {"healthy_panic_threshold": {"value": 1}},
        "circuit_breakers": {"thresholds": [_limits(cluster.capacity)]},
        "outlier_detection": _ejection(),
        "typed_extension_protocol_options": {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                "@type": TYPE + "envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
                "common_http_protocol_options": {"idle_timeout": seconds(idle_timeout)},
                "explicit_http_config": {
                    "http2_protocol_options" if cluster.http2 else "http_protocol_options": {}
                },
            }
        },
    }


def _limits(capacity: int) -> Resource:
    """Above what the replicas take, so that they and not Envoy say no; and so that all that a killed one held is retried.

    A power of two, since a changed limit makes Envoy build the cluster anew, and capacity changes with every scaling.
    """
    limit = _LEAST_LIMIT
    while limit < 2 * capacity:
        limit *= 2
    return {
        "max_connections": limit,
        "max_pending_requests": limit,
        "max_requests": limit,
        "max_retries": limit,
    }


def _ejection() -> Resource:
    """Leave out, for seconds, a replica that does not connect; never one for what it answers, since 5xx may be the work."""
    return {
        "split_external_local_origin_errors": True,
        "consecutive_local_origin_failure": 5,
        "enforcing_consecutive_local_origin_failure": 100,
        "enforcing_local_origin_success_rate": 0,
        "enforcing_consecutive_5xx": 0,
        "enforcing_consecutive_gateway_failure": 0,
        "enforcing_success_rate": 0,
        "enforcing_failure_percentage": 0,
        "enforcing_failure_percentage_local_origin": 0,
        "interval": seconds(1.0),
        "base_ejection_time": seconds(1.0),
        "max_ejection_time": seconds(10.0),
        "max_ejection_percent": 50,
    }


def _member(member: Member) -> Resource:
    return {
        "endpoint": {"address": _address(member.address)},
        "health_status": "DRAINING" if member.draining else "HEALTHY",
    }


def _address(address: Address) -> Resource:
    if isinstance(address, Pipe):
        return {"pipe": {"path": address.path}}
    return {"socket_address": {"address": address.host, "port_value": address.port}}
