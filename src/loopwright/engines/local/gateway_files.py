"""The folder that every Envoy watches: read back at the start, and each file replaced by rename.

    lds.json  cds.json  rds.json  eds/CLUSTER.json      what Envoy reads
    accepted/cds.json  accepted/rds.json                what every Envoy has accepted last

The second is for a table that is refused: the first is put back to it, or an Envoy that restarts would find nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from loopwright import routing
from loopwright.routing import Files, Resource
from loopwright.state import replace_file

__all__ = ["ConfigFolder"]

_NOTHING = Files(clusters=routing.render_clusters((), ""), routes=routing.render_routes(routing.Table()))


class ConfigFolder:
    """Knows what lies in the folder, which it alone writes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        for folder in (path / "eds", path / "accepted"):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.listener = _read(path / "lds.json")
        self.written = Files(
            clusters=_read(path / "cds.json"),
            routes=_read(path / "rds.json"),
            members={
                file.stem: content for file in path.glob("eds/*.json") if (content := _read(file)) is not None
            },
        )
        self.good = Files(
            clusters=_read(path / "accepted/cds.json") or _NOTHING.clusters,
            routes=_read(path / "accepted/rds.json") or _NOTHING.routes,
        )

    @property
    def versions(self) -> dict[str, str]:
        """The version of each kind of file that lies here."""
        files = {"clusters": self.written.clusters, "routes": self.written.routes, "listener": self.listener}
        return {kind: routing.version_of(file) for kind, file in files.items() if file is not None}

    def listens_at(self, listener: Resource) -> bool:
        """Whether the listener that lies here has the same host and port."""
        return self.listener is not None and _address(self.listener) == _address(listener)

    def complete(self) -> None:
        """Put an empty table where there is none yet: Envoy does not start without the files."""
        self.write(
            Files(
                clusters=None if self.written.clusters else _NOTHING.clusters,
                routes=None if self.written.routes else _NOTHING.routes,
            )
        )

    def write_listener(self, listener: Resource, again: bool = False) -> None:
        """Replace the listener's file, if its content is another; `again`: also where it is the same."""
        if again or self.listener != listener:
            self._put("lds.json", listener)
            self.listener = listener

    def write(self, changes: Files) -> None:
        """Make these changes, members first: a cluster's file must be there before the cluster."""
        for name, resource in changes.members.items():
            self._put(f"eds/{name}.json", resource)
        self._put_tables("", changes)
        members = dict(self.written.members) | dict(changes.members)
        self.written = Files(
            clusters=changes.clusters or self.written.clusters,
            routes=changes.routes or self.written.routes,
            members={name: resource for name, resource in members.items() if resource is not None},
        )

    def remember(self) -> None:
        """Keep what is written as the last that was accepted."""
        now = Files(clusters=self.written.clusters, routes=self.written.routes)
        if now != self.good:
            self._put_tables("accepted/", now)
            self.good = now

    def _put_tables(self, folder: str, files: Files) -> None:
        if files.clusters is not None:
            self._put(f"{folder}cds.json", files.clusters)
        if files.routes is not None:
            self._put(f"{folder}rds.json", files.routes)

    def _put(self, name: str, resource: Mapping[str, object] | None) -> None:
        if resource is None:
            (self.path / name).unlink(missing_ok=True)
        else:
            replace_file(self.path / name, routing.encode(dict(resource)))


def _read(path: Path) -> Resource | None:
    try:
        return routing.decode(path.read_bytes())
    except FileNotFoundError:
        return None


def _address(listener: Resource) -> object:
    return [one.get("address") for one in listener["resources"]]
