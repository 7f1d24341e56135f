"""What a running Envoy says of itself, asked over its admin's Unix socket (mode 0600)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

from loopwright import routing
from loopwright.engines.local.unix_http import ask

__all__ = ["Report", "loads", "parse_report", "report", "start_draining"]

_PATIENCE = 0.5  # seconds for an answer; it takes about a millisecond
_LIVE = "0"
_PREFIXES: Mapping[str, str] = {
    "clusters": "cluster_manager.cds.",
    "routes": f"http.{routing.STATISTICS}.rds.{routing.ROUTES_NAME}.",
    "listener": "listener_manager.lds.",
}
_FILTER = quote(
    r"^(cluster_manager\.(cds\.|warming_clusters)|http\.\w+\.rds\.|listener_manager\.lds\.|server\.state)",
    safe="",
)


@dataclass(frozen=True)
class Report:
    """One Envoy at one moment: the versions it has accepted, and how many files of each kind it ever refused."""

    live: bool
    versions: Mapping[str, str]  # of clusters, routes, listener; empty where none was accepted
    refusals: Mapping[str, int] = field(default_factory=dict)
    warming: int = 0

    @property
    def acknowledgement(self) -> routing.Acknowledgement:
        return routing.Acknowledgement(self.versions["clusters"], self.versions["routes"], self.warming)


def report(socket: str) -> Report | None:
    """Ask an Envoy; None where it does not answer."""
    try:
        status, body = ask(socket, f"/stats?filter={_FILTER}", _PATIENCE)
    except OSError:
        return None
    return parse_report(body.decode(errors="replace")) if status == 200 else None


def parse_report(statistics: str) -> Report:
    """Read Envoy's statistics: lines of `name: value`, where a text is in quotes."""
    values = dict(line.split(": ", 1) for line in statistics.splitlines() if ": " in line)
    return Report(
        live=values.get("server.state") == _LIVE,
        versions={
            kind: values.get(f"{prefix}version_text", "").strip('"') for kind, prefix in _PREFIXES.items()
        },
        refusals={
            kind: sum(_number(values, prefix + name) for name in ("update_rejected", "update_failure"))
            for kind, prefix in _PREFIXES.items()
        },
        warming=_number(values, "cluster_manager.warming_clusters"),
    )


def loads(socket: str) -> routing.Loads | None:
    """What an Envoy has under way at each replica; None where it does not answer."""
    try:
        status, body = ask(socket, "/clusters?format=json", _PATIENCE)
        return routing.loads_in(json.loads(body)) if status == 200 else None
    except (OSError, ValueError):
        return None


def start_draining(socket: str) -> bool:
    """Have an Envoy ask its clients to go elsewhere, while it still answers; whether it heard."""
    try:
        status, _ = ask(socket, "/drain_listeners?graceful", _PATIENCE, body=b"")
    except OSError:
        return False
    return status == 200


def _number(values: Mapping[str, str], name: str) -> int:
    text = values.get(name, "0")
    return int(text) if text.isdecimal() else 0
