"""Put a draft together: sort the columns, read the label, hold out what the data step would, and fill in the files."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loopwright.datasets.findings import listed
from loopwright.datasets.inference import of_rows, scalar
from loopwright.datasets.raw import Raw
from loopwright.datasets.splitting import BY_ROW, split
from loopwright.errors import NotFoundError, StepFailed
from loopwright.observations.rows import row_hashes
from loopwright.starting import cases, columns, giveaways, label, models, scripts
from loopwright.starting.columns import Columns, Role
from loopwright.starting.label import Gate, Label

_ADDRESS = re.compile(r"\w[\w.+-]*@[\w.-]*\w")
_MOST_NAMED = 20
_SHARE = 0.25  # of the rows that are held out


@dataclass(frozen=True)
class Wish:
    """What the user says of the workload."""

    label: str
    workload: str
    data: str  # the data set's name
    source: str  # its path inside the workload's folder
    owner: str
    task: str | None = None
    leave_out: tuple[str, ...] = ()
    use: tuple[str, ...] = ()  # columns to be seen whatever they look like


@dataclass(frozen=True)
class Draft:
    """The files by path, and what was decided, in sentences; `warnings` are worth a look before anything runs."""

    files: Mapping[str, str]
    task: str
    decisions: tuple[str, ...]
    warnings: tuple[str, ...] = ()
    features: Mapping[str, str] = field(default_factory=dict)  # name -> role
    left_out: Mapping[str, str] = field(default_factory=dict)  # name -> why


@dataclass(frozen=True)
class _Found:
    """What a draft is made of."""

    raw: Raw
    wish: Wish
    label: Label
    columns: Columns
    test: NDArray[np.bool_]  # the rows that the data step will hold out
    gate: Gate


def draft(raw: Raw, wish: Wish) -> Draft:
    """Draft a workload; raises NotFoundError for a column that is not there, StepFailed where nothing can be learned."""
    for name in (wish.label, *wish.leave_out, *wish.use):
        _require_column(raw, name)
    known = label.read(raw, wish.label, wish.task)
    features = columns.sort(raw, wish.label, wish.leave_out, wish.use)
    test = _held_out(raw, features.group or BY_ROW)
    found = _Found(raw, wish, known, features, test, label.gate(known, test))
    decisions = tuple(_decisions(found))
    return Draft(
        files=_files(found, decisions),
        task=known.task,
        decisions=decisions,
        warnings=(*label.worth_knowing(known, test), *giveaways.told(known, features)),
        features={feature.name: feature.role for feature in features.features},
        left_out=dict(features.left_out),
    )


def _held_out(raw: Raw, by: str) -> NDArray[np.bool_]:
    try:
        return split(raw, row_hashes(raw.frame()), _SHARE, by).test
    except StepFailed:  # it advises on a spec, which does not exist yet
        raise label.too_few(raw.rows, 0) from None


def _require_column(raw: Raw, name: str) -> None:
    if name in raw.columns:
        return
    near = get_close_matches(name, list(raw.columns), 1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    raise NotFoundError(f"{raw.shown} has no column {name!r}; it has {listed(raw.columns)}.{hint}")


def _files(found: _Found, decisions: tuple[str, ...]) -> dict[str, str]:
    raw, wish, known, features = found.raw, found.wish, found.label, found.columns
    by_itself = scripts.answers_by_itself(features, raw.format)
    told = "\n".join(f"- {decision}" for decision in decisions)
    return {
        "loopwright.yaml": scripts.filled("loopwright.yaml", **_named(wish), **_spec(found)),
        f"schemas/{wish.data}.yaml": of_rows(
            replace(raw, shown=wish.source), wish.label, known.task, features.left_out
        ),
        **(_model(found) if by_itself else _script(found)),
        "tests/functional.yaml": cases.functional(features, known, ~found.test),
        "README.md": scripts.filled(
            "README.md",
            **_named(wish),
            description=_purpose(found),
            decisions=told,
            scripts="" if by_itself else _SCRIPTS,
        ),
        ".gitignore": scripts.filled("gitignore"),
    }


_BY_ITSELF = "  model: model.joblib  # what training.py saves answers by itself\n"
_SCRIPTS = """\
| `features.py` | which columns the model sees, and how; used in training and in scoring |
| `score.py` | `init()` loads the model, `run(data)` answers a request |
"""


def _model(found: _Found) -> dict[str, str]:
    """The files of a workload whose model answers by itself."""
    return {
        "training.py": scripts.training_of_a_model(found.columns, found.label, _chosen(found)),
        "requirements.txt": scripts.requirements("pandas"),
    }


def _script(found: _Found) -> dict[str, str]:
    """The files of a workload that prepares its rows by code of its own, in training and in scoring."""
    raw, features = found.raw, found.columns
    return {
        "training.py": scripts.training(features, found.label, _chosen(found), raw.format),
        "features.py": scripts.features(features),
        "score.py": scripts.score(found.label),
        "requirements.txt": scripts.requirements(*(["pandas", "pyarrow"] if raw.format == "parquet" else [])),
    }


def _chosen(found: _Found) -> models.Model:
    known, texts = found.label, bool(found.columns.of("text"))
    return models.chosen(known.task, found.raw.rows, len(known.classes), texts)


def _named(wish: Wish) -> dict[str, str]:
    return {"workload": wish.workload, "data": wish.data, "source": _path(wish.source)}


def _purpose(found: _Found) -> str:
    return f"Predicts {scalar(found.label.name)} ({found.label.task})."


def _spec(found: _Found) -> dict[str, Any]:
    known, gate, owner, group = found.label, found.gate, found.wish.owner, found.columns.group
    by_itself = scripts.answers_by_itself(found.columns, found.raw.format)
    places = "" if by_itself else "  prediction: prediction  # where score.py's answer has it\n"
    if known.binary:
        places += f"  positive: {scalar(known.classes[1])}\n"
        places += "" if by_itself else "  probability: probability\n"
    return {
        "owner": owner if _ADDRESS.fullmatch(owner) else scalar(owner),
        "description": scalar(_purpose(found)),
        "label": scalar(known.name),
        "split_by": scalar(group or BY_ROW),
        "split_comment": "  # rows that share its value stay on one side" if group else "",
        "task": known.task,
        "places": places,
        "training_files": "[training.py]" if by_itself else "[training.py, features.py]",
        "answering": _BY_ITSELF if by_itself else "  entry: score.py\n  files: [features.py]\n",
        "gate_comment": f"{gate.why[:1].upper()}{gate.why[1:]}.",
        "metric": gate.metric,
        "bound": gate.bound,
        "threshold": f"{gate.value:.10g}",
        "loss": f"{gate.loss:.10g}",
    }


_KINDS: tuple[tuple[str, tuple[Role, ...]], ...] = (
    ("numbers", ("number", "truth")),
    ("dates", ("date",)),
    ("categories", ("category",)),
    ("free text", ("text",)),
)


def _decisions(found: _Found) -> Iterator[str]:
    known, gate = found.label, found.gate
    classes = f" into {listed(known.classes)}" if known.task == "classification" else ""
    yield f"{known.task} of {known.name!r}{classes}: {known.why}"
    for kind, roles in _KINDS:
        if names := found.columns.of(*roles):
            more = f" and {len(names) - _MOST_NAMED:,} more" if len(names) > _MOST_NAMED else ""
            yield f"{kind}: {', '.join(scalar(name) for name in names[:_MOST_NAMED])}{more}"
    for name, why in found.columns.left_out.items():
        yield f"not used: {scalar(name)} ({why})"
    by_itself = scripts.answers_by_itself(found.columns, found.raw.format)
    yield f"answers: {'the saved model itself, without a script' if by_itself else 'score.py, which prepares rows as training does'}"
    yield f"gate: {gate.metric} {'>=' if gate.bound == 'min' else '<='} {label.rounded(gate.value)}, since {gate.why}"


def _path(source: str) -> str:
    """A path as YAML takes it."""
    return source if all(part.isalnum() or part in "/._-" for part in source) else scalar(source)
