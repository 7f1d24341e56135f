"""Model versions and their aliases: MLflow's registry."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from loopwright.catalog import limits
from loopwright.catalog.runs import Runs
from loopwright.errors import ConflictError, NotFoundError

PACKAGE_TAG = "loopwright.package"

_creating = threading.Lock()


@dataclass(frozen=True)
class ModelVersion:
    """`titanic:17`."""

    name: str
    version: int
    run: str
    source: str  # where its files lie
    description: str
    created_at: float  # seconds since the epoch
    tags: dict[str, str]
    aliases: tuple[str, ...]


class Models(Runs):
    """The part of `Tracking` that is about registered models; each version comes from a run."""

    def ensure_model(self, name: str, tags: Mapping[str, str] | None = None, description: str = "") -> None:
        """Make a registered model, or bring these tags and the description of the one of this name up to date."""
        wanted = limits.pairs(tags or {}, limits.MODEL_TAG)
        try:
            self._rest.post(
                "registered-models/create", {"name": name, "tags": wanted, "description": description}
            )
            return
        except ConflictError:
            known = self._rest.get("registered-models/get", {"name": name})["registered_model"]
        if known.get("description", "") != description:
            self._rest.patch("registered-models/update", {"name": name, "description": description})
        there = _tags(known)
        for tag in wanted:
            if there.get(tag["key"]) != tag["value"]:
                self._rest.post("registered-models/set-tag", {"name": name, **tag})

    def ensure_version(
        self,
        name: str,
        package: str,
        run: str,
        path: str,
        tags: Mapping[str, str] | None = None,
        description: str = "",
    ) -> int:
        """The number of the model version of this package (tag `loopwright.package`), made where there is none.

        `path` is where the model lies among the run's artifacts. Of two processes that make one at once, the lower
        number stands, and the other is taken back.
        """
        with _creating:
            known = self._of_package(name, package)
            if known:
                return known[0].version
            body = {
                "name": name,
                "source": f"{self.get_run(run).artifact_uri}/{path}",
                "run_id": run,
                "description": description,
                "tags": limits.pairs({**(tags or {}), PACKAGE_TAG: package}, limits.MODEL_TAG),
            }
            made = int(self._rest.post("model-versions/create", body)["model_version"]["version"])
            first = self._of_package(name, package)[0].version
            if first != made:
                self._rest.delete("model-versions/delete", {"name": name, "version": str(made)})
            return first

    def _of_package(self, name: str, package: str) -> list[ModelVersion]:
        expression = f"name = {limits.quoted(name)} and tags.`{PACKAGE_TAG}` = {limits.quoted(package)}"
        return self.search_versions(expression)

    def get_version(self, name: str, version: int) -> ModelVersion:
        """A model version; raises NotFoundError where there is none."""
        answer = self._rest.get("model-versions/get", {"name": name, "version": str(version)})
        return _version(answer["model_version"])

    def search_versions(self, expression: str) -> list[ModelVersion]:
        """The model versions that match MLflow's search expression, by number."""
        found: list[ModelVersion] = []
        parameters = {"filter": expression, "max_results": str(limits.PAGE)}
        while True:
            page = self._rest.get("model-versions/search", parameters)
            found += [_version(version) for version in page.get("model_versions", [])]
            if not page.get("next_page_token"):
                return sorted(found, key=lambda version: (version.name, version.version))
            parameters["page_token"] = page["next_page_token"]

    def set_alias(self, name: str, alias: str, version: int) -> None:
        """Point an alias at a version, wherever it pointed before."""
        self._rest.post("registered-models/alias", {"name": name, "alias": alias, "version": str(version)})

    def delete_alias(self, name: str, alias: str) -> None:
        """Take an alias away; fine where there is none."""
        with suppress(NotFoundError):
            self._rest.delete("registered-models/alias", {"name": name, "alias": alias})


def _version(answer: Mapping[str, Any]) -> ModelVersion:
    return ModelVersion(
        name=answer["name"],
        version=int(answer["version"]),
        run=answer.get("run_id", ""),
        source=answer.get("source", ""),
        description=answer.get("description", ""),
        created_at=int(answer["creation_timestamp"]) / 1000,
        tags=_tags(answer),
        aliases=tuple(sorted(answer.get("aliases", []))),
    )


def _tags(answer: Mapping[str, Any]) -> dict[str, str]:
    return {tag["key"]: tag.get("value", "") for tag in answer.get("tags", [])}
