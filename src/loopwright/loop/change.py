"""A change: one wish that what a folder declares be brought to production, with everything that identifies it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


def digest(value: object) -> str:
    """Name a JSON value by its content: 64 hexadecimal digits of SHA-256 over its canonical form."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True)
class Source:
    """A data file as it was when the change was asked for."""

    path: str  # inside the workload's folder
    content: str  # digest in the store
    modified_at: float  # seconds since the epoch
    stale: bool  # older than the spec's fresh_within allows


@dataclass(frozen=True)
class Change:
    """What was asked for; kept in the ledger as the body of `change.requested`."""

    id: str
    workload: str
    folder: str
    spec: str  # digest of loopwright.yaml in the store
    files: Mapping[str, str]  # path -> content digest, data sources excluded
    sources: Mapping[str, Source]  # by data set name
    commit: str | None
    dirty: bool
    diff: str | None  # digest of the uncommitted diff in the store
    author: str
    auto_approve: bool
    actor: str
    requested_at: float
    cleans_up: bool = False  # whether tasks of its spec run at its end, whatever happened before
    groups: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # variables, as `up` found them
    secrets: Mapping[str, str] = field(default_factory=dict)  # name -> keyed digest of the value at `up`
    dependencies: Mapping[str, Any] = field(default_factory=dict)
    """What its dependency file asks for: `wanted` (digest of its lines), `files` (paths that say it),
    `python`, and `lock` (content digest of loopwright.lock, or None). Empty in changes of before there was this."""

    token: str = ""  # random, made once by who asked: asked twice with the same one, it is one change

    @property
    def clean(self) -> bool:
        """Whether all of it is in a commit."""
        return bool(self.commit) and not self.dirty

    @property
    def identity(self) -> str:
        """Equal for two changes that ask for the same thing."""
        sources = {name: [source.content, source.stale] for name, source in self.sources.items()}
        wish: dict[str, Any] = {"spec": self.spec, "files": dict(self.files), "sources": sources}
        if self.groups or self.secrets:
            wish |= {"groups": _plain(self.groups), "secrets": dict(self.secrets)}
        return digest(wish)

    def body(self) -> dict[str, Any]:
        """The fact's body."""
        fields = ("folder", "spec", "commit", "dirty", "diff", "author", "auto_approve", "cleans_up")
        body: dict[str, Any] = {name: getattr(self, name) for name in fields}
        body["files"] = dict(self.files)
        body["sources"] = {name: vars(source) for name, source in self.sources.items()}
        body["groups"], body["secrets"] = _plain(self.groups), dict(self.secrets)
        body["dependencies"] = dict(self.dependencies)
        body["token"] = self.token
        body["identity"] = self.identity
        return body

    @classmethod
    def from_fact(cls, key: str, workload: str, actor: str, at: float, body: Mapping[str, Any]) -> Change:
        """Read one back."""
        return cls(
            id=key,
            workload=workload,
            actor=actor,
            requested_at=at,
            cleans_up=body.get("cleans_up", False),
            groups=body.get("groups", {}),
            secrets=body.get("secrets", {}),
            dependencies=body.get("dependencies", {}),
            token=body.get("token", ""),
            sources={name: Source(**fields) for name, fields in body["sources"].items()},
            **{
                name: body[name]
                for name in ("folder", "spec", "files", "commit", "dirty", "diff", "author", "auto_approve")
            },
        )


def _plain(groups: Mapping[str, Mapping[str, str]]) -> dict[str, dict[str, str]]:
    return {name: dict(variables) for name, variables in groups.items()}
