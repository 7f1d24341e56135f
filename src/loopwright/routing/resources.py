"""The frame of every resource file: a discovery response whose version names its content.

Envoy repeats `version_info` in its statistics once it has accepted a file, which is how a change is known to count.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any

Resource = dict[str, Any]

TYPE = "type.googleapis.com/"
_LISTENER = TYPE + "envoy.config.listener.v3.Listener"
_CLUSTER = TYPE + "envoy.config.cluster.v3.Cluster"
_ROUTES = TYPE + "envoy.config.route.v3.RouteConfiguration"
_MEMBERS = TYPE + "envoy.config.endpoint.v3.ClusterLoadAssignment"


def listeners(resources: Sequence[Resource]) -> Resource:
    return _response(_LISTENER, resources)


def clusters(resources: Sequence[Resource]) -> Resource:
    return _response(_CLUSTER, resources)


def routes(resources: Sequence[Resource]) -> Resource:
    return _response(_ROUTES, resources)


def members(resources: Sequence[Resource]) -> Resource:
    return _response(_MEMBERS, resources)


def version_of(resource: Resource) -> str:
    """The version that Envoy will report of this file."""
    return str(resource["version_info"])


def encode(resource: Resource) -> bytes:
    """The file's bytes; JSON, since YAML reads a bare `n` as false."""
    return json.dumps(resource, indent=1, sort_keys=True, allow_nan=False).encode() + b"\n"


def decode(content: bytes) -> Resource | None:
    """A resource file read back; None where it holds no discovery response (cut off, or edited by hand)."""
    try:
        resource = json.loads(content)
    except ValueError:
        return None
    whole = (
        isinstance(resource, dict)
        and "version_info" in resource
        and isinstance(resource.get("resources"), list)
    )
    return resource if whole else None


def seconds(value: float) -> str:
    """A protobuf duration in JSON."""
    return f"{value:.3f}s"


def _response(type_url: str, resources: Sequence[Resource]) -> Resource:
    typed = [{"@type": type_url, **resource} for resource in resources]
    content = json.dumps(typed, sort_keys=True, allow_nan=False).encode()
    digest = hashlib.sha256(content).hexdigest()[:16]
    return {"version_info": digest, "type_url": type_url, "resources": typed}
