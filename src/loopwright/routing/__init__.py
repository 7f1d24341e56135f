"""Turns a table of endpoints into Envoy's configuration, and says in which order it may be written.

Why: how requests reach replicas (shares, keys, retries, limits, errors) is one concern, the same on every engine; only the
place where the files are written differs. In: a `Table` of endpoints and clusters, the members of each cluster, what lies
in the files and what every Envoy has acknowledged. Out: Envoy resources as dictionaries ready for JSON, the next files
to write, and where a table stands. Pure: it opens no file and starts no process.

May import: errors, and nothing of the other rooms.
"""

from loopwright.routing.bootstrap import render_bootstrap
from loopwright.routing.clusters import clusters_in, render_clusters, render_members
from loopwright.routing.draining import Load, Loads, idle, loads_in, members_in, with_draining
from loopwright.routing.listener import ROUTES_NAME, STATISTICS, render_listener
from loopwright.routing.order import Acknowledgement, Files, Standing, next_files, standing
from loopwright.routing.refusals import refusal_in
from loopwright.routing.resources import Resource, decode, encode, version_of
from loopwright.routing.routes import clusters_routed, render_routes
from loopwright.routing.table import (
    Address,
    Cluster,
    Endpoint,
    HostPort,
    Member,
    Pipe,
    Share,
    Table,
    grpc_cluster,
)

__all__ = [
    # what is wanted
    "Table",
    "Endpoint",
    "Share",
    "Cluster",
    "Member",
    "Address",
    "Pipe",
    "HostPort",
    "grpc_cluster",
    # Envoy's configuration
    "Resource",
    "ROUTES_NAME",
    "STATISTICS",
    "render_bootstrap",
    "render_listener",
    "render_clusters",
    "render_members",
    "render_routes",
    "clusters_in",
    "clusters_routed",
    "version_of",
    "encode",
    "decode",
    # the safe order
    "Files",
    "Acknowledgement",
    "Standing",
    "next_files",
    "standing",
    "refusal_in",
    # taking a member out
    "with_draining",
    "loads_in",
    "Load",
    "Loads",
    "members_in",
    "idle",
]
