"""What was made, of what, by whom, and what served: the questions of people who were not there.

Each function takes the `Records` (of a living control plane or of a stopped state) and names as people type them, and
returns JSON values. Raises NotFoundError for a name that is not known.
"""

from __future__ import annotations

from typing import Any

from loopwright.errors import NotFoundError
from loopwright.loop import lineage
from loopwright.operations.naming import pick
from loopwright.operations.sources import Records
from loopwright.operations.telling import told


def workloads(records: Records, given: str | None) -> list[str]:
    """The workloads that are meant: all where none is named."""
    known = list(records.chronicle.workloads)
    return sorted(known) if given is None else [pick(given, known, "workload")]


def environment(records: Records, workload: str, given: str | None) -> str:
    """The environment that is meant: where none is named, the last that asks for approval, else the last."""
    known = records.chronicle.environments(workload)
    declared = _declared(records, workload)
    if given is not None:
        return pick(given, [*declared, *known], "environment")
    asking = [name for name, asks in declared.items() if asks]
    names = asking or list(declared) or known
    if not names:
        raise NotFoundError(f"{workload} has no environment yet: nothing was released.")
    return names[-1]


def _declared(records: Records, workload: str) -> dict[str, bool]:
    """Environments of the newest spec that can be read, in order, and whether each asks for approval."""
    for change in reversed(records.chronicle.changes.values()):
        if change.workload == workload:
            spec = records.spec(change.body["spec"])
            if spec is not None:
                return {name: one.approval.count > 0 for name, one in spec.environments.items()}
    return {}


def models(records: Records, workload: str | None = None, version: str | None = None) -> list[dict[str, Any]]:
    """The versions of one workload or of all; with `version` (17, titanic:17 or an alias such as prod) that one."""
    workload, version = _split(workload, version)
    names = workloads(records, workload)
    found = [one for name in names for one in lineage.versions(records.chronicle, name)]
    if version is not None:
        found = [_pick_version(found, names[0], version)]
    return [told(one) for one in found]


def releases(records: Records, workload: str | None = None, where: str | None = None) -> list[dict[str, Any]]:
    """Every release, oldest first."""
    names = workloads(records, workload)
    known = [one for name in names for one in records.chronicle.environments(name)]
    here = pick(where, known, "environment") if where is not None else None
    found = [one for name in names for one in lineage.releases(records.chronicle, name, here)]
    return [told(one) for one in sorted(found, key=lambda release: release.sequence)]


def packages(
    records: Records, workload: str | None = None, digest: str | None = None
) -> list[dict[str, Any]]:
    """Every package; with `digest` (its beginning is enough), or of titanic:17, that one, with its files and its signature."""
    workload, version = _split(workload, digest)
    names = workloads(records, workload)
    if version is not None and digest is None:
        digest = _pick_version(lineage.versions(records.chronicle, names[0]), names[0], version).package
    found = [one for name in names for one in lineage.packages(records.chronicle, name)]
    if digest is None:
        return [told(one) for one in found]
    by_digest = {one.digest.removeprefix("sha256:"): one for one in found}
    chosen = by_digest[pick(digest.removeprefix("sha256:"), by_digest, "package")]
    return [told(chosen) | _content(records, chosen)]


def _content(records: Records, package: lineage.Package) -> dict[str, Any]:
    """What its files say, while they are here."""
    folder = records.tree(package.tree)
    if folder is None:
        return {"files": None, "signature": None, "lock_digest": None, "python": None}
    import msgspec

    from loopwright.packaging.contents import manifest

    content = manifest(folder)
    files = {
        path: {"sha256": sha, "size": (folder / path).stat().st_size} for path, sha in content.files.items()
    }
    signature = msgspec.json.decode((folder / "signature.json").read_bytes())
    return {
        "files": files,
        "signature": {"inputs": signature["inputs"], "output": signature["output"]},
        "lock_digest": content.lock,
        "python": content.python,
    }


def data(records: Records, workload: str | None = None, version: str | None = None) -> dict[str, Any]:
    """Every data version, and what was refused; with `version` (its beginning, or `newest`), or of titanic:17, that one, with
    statistics."""
    workload, model = _split(workload, None if version == "newest" else version)
    names = workloads(records, workload)
    if model is not None and version == "newest":
        version = _pick_version(lineage.versions(records.chronicle, names[0]), names[0], model).data_version
    found = [one for name in names for one in lineage.data_versions(records.chronicle, name)]
    refused = [one for name in names for one in lineage.refusals(records.chronicle, name)]
    if version is None:
        return {"versions": [_data(records, one) for one in found], "refused": told(refused)}
    known = [one.version for one in found]
    name = (
        known[-1]
        if version == "newest" and known
        else pick(version, [*known, *(one.version for one in refused)], "data version")
    )
    chosen = [one for one in found if one.version == name]
    return {
        "versions": [_data(records, one) | {"statistics": _statistics(records, one)} for one in chosen],
        "refused": told([one for one in refused if one.version == name]),
    }


def _data(records: Records, version: lineage.DataVersion) -> dict[str, Any]:
    """With what only the spec says of it, as the spec was then."""
    spec = records.spec(version.spec)
    data = spec.data.get(version.name) if spec else None
    answer: dict[str, Any] = told(version)
    return answer | {
        "owner": (data.owner or (spec.owner if spec else None)) if data else None,
        "description": data.description if data else None,
        "fresh_within": data.fresh_within if data else None,
        "schema": data.data_schema if data else None,
    }


def _statistics(records: Records, version: lineage.DataVersion) -> dict[str, Any] | None:
    folder = records.tree(version.tree)
    if folder is None:
        return None
    import msgspec

    profile: dict[str, Any] = msgspec.json.decode((folder / "profile.json").read_bytes())
    return profile["columns"]  # type: ignore[no-any-return]


def _split(workload: str | None, version: str | None) -> tuple[str | None, str | None]:
    """`titanic:17` names both."""
    if workload and version is None and ":" in workload:
        name, _, number = workload.partition(":")
        return name, number
    return workload, version


def _pick_version(found: list[lineage.Version], workload: str, given: str) -> lineage.Version:
    number = given.removeprefix(f"{workload}:")
    aliases = {alias: one for one in found for alias in one.aliases}
    numbers = {str(one.version): one for one in found}
    if number in numbers or number in aliases:
        return numbers.get(number) or aliases[number]
    known = ", ".join(numbers) or "none yet"
    named = f"; aliases: {', '.join(sorted(aliases))}" if aliases else ""
    raise NotFoundError(f"{workload} has no version {given!r}. Versions: {known}{named}.")
