"""What the commands about packages and data print: answers to lines."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from loopwright.cli.table import fields, listing, local, pairs, seconds, short, size

Answer = dict[str, Any]


def packages(found: Sequence[Answer]) -> list[str]:
    """A line each."""
    rows = [
        [
            short(one["digest"]),
            one["workload"],
            size(one["size"]),
            one["version"] or "-",
            ", ".join(one["serves"]) or "-",
            local(one["made_at"]),
            short(one["run"]),
            short(one["data_version"]),
            short(one["lock"]),
        ]
        for one in found
    ]
    headers = ("PACKAGE", "WORKLOAD", "SIZE", "VERSION", "SERVES IN", "MADE", "RUN", "DATA", "LOCK")
    return listing(headers, rows) if rows else ["No package was made yet."]


def package(one: Answer) -> list[str]:
    """All of one."""
    head = {
        "made": f"{local(one['made_at'])} for {one['change']}",
        "size": size(one["size"]),
        "version": one["version"] or "not registered",
        "serves in": ", ".join(one["serves"]) or "no environment",
        "run": one["run"],
        "data": one["data_version"],
        "lock": one["lock"],
        "python": one["python"] or "",
        **({"model": one["model"]} if one.get("model") else {"entry": one["entry"]}),
        **({"served": one["compilation"]} if one.get("compilation") else {}),
        "inputs": "\n".join(map(column, one["inputs"])),
        "output": json.dumps(one["signature"]["output"]) if one["signature"] else "",
        "files": "\n".join(
            f"{path}  {size(file['size'])}  sha256:{file['sha256']}"
            for path, file in (one["files"] or {}).items()
        )
        or "no longer in the store here",
    }
    return [one["digest"], *fields(head, "  ")]


def column(one: Answer) -> str:
    """A column of a signature."""
    kinds = f" of {', '.join(map(str, one['categories']))}" if one.get("categories") else ""
    return f"{one['name']}: {one['type']}{' or missing' if one.get('nullable') else ''}{kinds}"


def data(found: Answer) -> list[str]:
    """A line each, then what was refused."""
    rows = [
        [
            short(one["version"]),
            one["workload"],
            one["name"],
            str(one["rows"]),
            f"{one['train_rows']}/{one['test_rows']}",
            one["source"],
            one["owner"] or "-",
            local(one["checked_at"]),
            ", ".join(one["versions"]) or "-",
            str(len(one["warnings"])),
        ]
        for one in found["versions"]
    ]
    headers = (
        "DATA",
        "WORKLOAD",
        "NAME",
        "ROWS",
        "TRAIN/TEST",
        "SOURCE",
        "OWNER",
        "CHECKED",
        "VERSIONS",
        "WARNINGS",
    )
    lines = listing(headers, rows) if rows else ["No data version was accepted yet."]
    return lines + _refused(found["refused"])


def _refused(found: Sequence[Answer]) -> list[str]:
    if not found:
        return []
    rows = [
        [
            short(one["version"]),
            one["workload"],
            one["source"],
            local(one["refused_at"]),
            one["asked_by"],
            one["message"],
        ]
        for one in found
    ]
    return ["", *listing(("REFUSED", "WORKLOAD", "SOURCE", "AT", "ASKED BY", "WHY"), rows)]


def data_in_full(found: Answer) -> list[str]:
    """All of each."""
    lines: list[str] = []
    for one in found["versions"]:
        split = f"{one['train_rows']} to train, {one['test_rows']} held out"
        modified = (
            f", changed {local(one['source_modified_at'])}"
            if isinstance(one["source_modified_at"], str)
            else ""
        )
        fresh = f", expected to change within {seconds(one['fresh_within'])}" if one["fresh_within"] else ""
        head = {
            "name": f"{one['name']} of {one['workload']}",
            "description": one["description"] or "",
            "source": f"{one['source']}{modified}{fresh}",
            "owner": one["owner"] or "",
            "schema": one["schema"] or "",
            "checked": f"{local(one['checked_at'])}, asked for by {one['asked_by']} as {one['change']}",
            "rows": f"{one['rows']}: {split}",
            "label": _label(one["label"], one["task"]),
            "columns": "\n".join(_statistics(one, name) for name in _columns(one)),
            "warnings": "\n".join(one["warnings"]),
            "runs": "\n".join(one["runs"]),
            "versions": ", ".join(one["versions"]),
        }
        lines += ["", one["version"], *fields(head, "  ")]
    return [*lines[1:], *_refused(found["refused"])]


def _label(label: Answer, task: str) -> str:
    balance = ", ".join(f"{name} {share:.1%}" for name, share in label.get("balance", {}).items())
    moments = pairs({name: label[name] for name in ("min", "mean", "max") if name in label})
    return f"{label.get('name', '')} ({task}): {balance or moments}"


def _columns(one: Answer) -> list[str]:
    return list(one["statistics"] or {}) or [column["name"] for column in one["columns"]]


def _statistics(one: Answer, name: str) -> str:
    figures = (one["statistics"] or {}).get(name)
    if figures is None:
        return column(next(entry for entry in one["columns"] if entry["name"] == name))
    told = f"{name}: {figures['type']}, {figures['missing']} missing, {figures['distinct']} different"
    if "mean" in figures:
        return f"{told}, {pairs({key: figures[key] for key in ('min', 'mean', 'max')})}"
    top = ", ".join(f"{entry['value']} ({entry['count']})" for entry in figures["top"][:3])
    return f"{told}, most often {top}" if top else told
