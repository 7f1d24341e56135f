"""What an Envoy process reads once, at its start: who it is, its admin socket and the folder it watches."""

from __future__ import annotations

from loopwright.routing.resources import TYPE, Resource

_OWNER_ONLY = 0o600
# Beyond this many clients a process refuses connections instead of running out of memory or file descriptors.
_MOST_CONNECTIONS = 8192


def render_bootstrap(node: str, admin_socket: str, folder: str) -> Resource:
    """The bootstrap of the process called `node`.

    `admin_socket` is the path of its admin's Unix socket, which it makes with mode 0600. `folder` is absolute and holds
    `lds.json` and `cds.json`; Envoy sees each of them replaced by rename.
    """
    return {
        "node": {"id": node, "cluster": "loopwright"},
        "admin": {
            "address": {"pipe": {"path": admin_socket, "mode": _OWNER_ONLY}},
            # The admin must answer above all when the process is full.
            "ignore_global_conn_limit": True,
        },
        "dynamic_resources": {
            "lds_config": watched(f"{folder}/lds.json"),
            "cds_config": watched(f"{folder}/cds.json"),
        },
        # No tags are taken from names: nobody here reads them, and each costs time at every new cluster.
        "stats_config": {"use_all_default_tags": False},
        "overload_manager": {
            "resource_monitors": [
                {
                    "name": "envoy.resource_monitors.global_downstream_max_connections",
                    "typed_config": {
                        "@type": TYPE
                        + "envoy.extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig",
                        "max_active_downstream_connections": _MOST_CONNECTIONS,
                    },
                }
            ]
        },
    }


def watched(path: str) -> Resource:
    """A config source that is a file, read again whenever it is replaced by rename."""
    return {"path_config_source": {"path": path}, "resource_api_version": "V3"}
