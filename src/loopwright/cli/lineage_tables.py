"""What the commands about models, runs and releases print: answers to lines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from loopwright.cli.table import fields, listing, local, number, pairs, person, seconds, short

Answer = dict[str, Any]


def versions(found: Sequence[Answer]) -> list[str]:
    """A line each."""
    rows = [
        [
            one["name"],
            ", ".join(one["aliases"]) or "-",
            local(one["registered_at"]),
            one["asked_by"],
            _commit(one),
            short(one["run"]),
            short(one["data_version"]),
            short(one["package"]),
            pairs(one["metrics"], 3),
        ]
        for one in found
    ]
    headers = ("VERSION", "SERVES IN", "REGISTERED", "BY", "COMMIT", "RUN", "DATA", "PACKAGE", "METRICS")
    return listing(headers, rows) if rows else ["No model version is registered yet."]


def version(one: Answer) -> list[str]:
    """All of one."""
    data = short(one["data_version"]) + (f" ({one['rows']} rows)" if one["rows"] is not None else "")
    run_commit = short(one["run_commit"])
    head = {
        "registered": f"{local(one['registered_at'])}, asked for by {one['asked_by']} as {one['change']}",
        "author": one["author"],
        "commit": _commit(one, whole=True),
        "uncommitted": f"diff {one['diff']}" if one["diff"] else "",
        "run": one["run"] + (f" of commit {run_commit}" if one["run_commit"] != one["commit"] else ""),
        "parameters": pairs(one["parameters"]),
        "data": data,
        "lock": one["lock"],
        "package": one["package"],
        "metrics": pairs(one["metrics"]),
        "gates": "\n".join(
            f"{'holds' if gate['passed'] else 'FAILS'}: {gate['reason']}" for gate in one["gates"]
        ),
        "aliases": ", ".join(one["aliases"]),
        "serves": "\n".join(
            f"{place['environment']} since {local(place['since'])}" for place in one["serves"]
        ),
        "approvals": "\n".join(map(approval, one["approvals"])),
    }
    return [one["name"], *fields(head, "  ")]


def approval(one: Answer) -> str:
    """One decision."""
    verb = "approved" if one["decision"] == "approve" else "rejected"
    how = " automatically, as asked" if one["automatic"] else ""
    comment = f": {one['comment']}" if one["comment"] else ""
    return f"{one['environment']} {verb}{how} by {one['by']} at {local(one['at'])}{comment}"


def runs(found: Sequence[Answer]) -> list[str]:
    """A line each."""
    rows = [
        [
            short(run["run"]),
            run["workload"],
            run["status"],
            local(run["started_at"]),
            seconds(run["duration"]),
            person(run["author"]),
            _commit(run),
            short(run["data_version"]),
            ", ".join(run["versions"]) or "-",
            pairs(run["parameters"], 3),
            pairs(run["metrics"], 3),
        ]
        for run in found
    ]
    headers = ("RUN", "WORKLOAD", "STATUS", "STARTED", "TOOK", "AUTHOR", "COMMIT", "DATA", "VERSION", "PARAMETERS", "METRICS")  # fmt: skip
    return listing(headers, rows) if rows else ["No run is recorded yet."]


def runs_in_full(found: Sequence[Answer]) -> list[str]:
    """All of each."""
    lines: list[str] = []
    for run in found:
        head = {
            "status": f"{run['status']}, {seconds(run['duration'])}"
            if run["duration"] is not None
            else run["status"],
            "message": run["message"],
            "started": f"{local(run['started_at'])}, asked for by {run['asked_by']} as {run['change']}",
            "author": run["author"],
            "commit": _commit(run, whole=True),
            "data": run["data_version"] or "",
            "lock": run["lock"] or "",
            "parameters": _column(run["parameters"]),
            "metrics": _column(run["metrics"]),
            "packages": "\n".join(run["packages"]),
            "versions": ", ".join(run["versions"]),
        }
        lines += ["", f"{run['run']} ({run['workload']})", *fields(head, "  ")]
    return lines[1:]


def comparison(found: Answer) -> list[str]:
    """A row for each value that differs, a column for each run."""
    names = [
        short(run["run"]) + (f" ({', '.join(run['versions'])})" if run["versions"] else "")
        for run in found["runs"]
    ]
    if not found["differences"]:
        return [f"{' and '.join(names)} do not differ."]
    rows = [
        [row["name"] if row["section"] == "run" else f"{row['section'].removesuffix('s')} {row['name']}"]
        + [_value(row, value) for value in row["values"]]
        for row in found["differences"]
    ]
    equal = f"Equal: {', '.join(found['equal'])}." if found["equal"] else "Nothing is equal."
    return [*listing(("", *names), rows), equal]


def _value(row: Answer, value: Any) -> str:
    if row["name"] in ("data_version", "commit", "lock", "spec") and row["section"] == "run":
        return short(value) or "-"
    return "-" if value is None else number(value)


def releases(found: Sequence[Answer]) -> list[str]:
    """A line each."""
    rows = [
        [
            release["environment"],
            release["version"],
            local(release["since"]),
            local(release["until"]) or "now",
            release["by"],
            release["asked_by"] + (f" ({release['comment']})" if release["comment"] else ""),
            "; ".join(map(_approved, release["approvals"])) or "-",
            short(release["package"]),
        ]
        for release in found
    ]
    headers = ("ENVIRONMENT", "VERSION", "SINCE", "UNTIL", "BY", "ASKED BY", "APPROVED BY", "PACKAGE")
    return listing(headers, rows) if rows else ["Nothing was released yet."]


def _approved(one: Answer) -> str:
    verb = "" if one["decision"] == "approve" else " (no)"
    comment = f" ({one['comment']})" if one["comment"] else ""
    return f"{one['by']}{' automatically' if one['automatic'] else ''}{verb}{comment}"


def _commit(one: Answer, whole: bool = False) -> str:
    commit = one["commit"]
    if not commit:
        return "no commit" if whole else "-"
    mark = " and uncommitted changes" if whole else "+"
    return (str(commit) if whole else str(commit)[:8]) + (mark if one["dirty"] else "")


def _column(values: Answer) -> str:
    return "\n".join(f"{name}={number(value)}" for name, value in values.items())


def served(found: Sequence[Answer]) -> list[str]:
    """What served at a moment, environment by environment."""
    if not found:
        return ["Nothing was ever released here."]
    lines = [f"At {local(found[0]['at'])}:"]
    for one in found:
        lines += ["", *_served(one)]
    return lines


def _served(one: Answer) -> list[str]:
    place = f"{one['workload']} in {one['environment']}"
    release, version, data = one["release"], one["version"], one["data"]
    if release is None:
        return [f"{place}: nothing served; {one['reason']}"]
    recorded = "" if one["serving"] else f"nothing served; {one['reason']}. What the record held: "
    rows = (
        f" ({data['rows']} rows of {data['source']}, {data['train_rows']} of them to train)" if data else ""
    )
    head = {
        "approved": "\n".join(map(approval, release["approvals"])) or "by nobody: none was asked",
        "released": _asked(release),
        "data": f"{version['data_version']}{rows}" if version else "",
        "commit": _commit(version, whole=True) if version else "",
        "run": version["run"] if version else "",
        "lock": version["lock"] if version else "",
        "metrics": pairs(version["metrics"]) if version else "",
        "package": release["package"],
        "revision": release["revision"],
    }
    return [f"{place}: {recorded}{release['version']} since {local(release['since'])}", *fields(head, "  ")]


def _asked(release: Answer) -> str:
    comment = f": {release['comment']}" if release["comment"] else ""
    return f"by {release['by']}, asked for by {release['asked_by']} as {release['request']}{comment}"
