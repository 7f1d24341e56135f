"""The drafted scripts: templates filled in with what was found in the data."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import metadata
from importlib.resources import files
from string import Template
from typing import Any

from loopwright.starting.columns import Columns
from loopwright.starting.label import Label
from loopwright.starting.models import Model

_OF_LABEL = {"integer": "int({})", "number": "float({})", "string": "{}", "boolean": "bool({})"}
_WIDTH = 100
_LONGEST_LINE = 120


def filled(name: str, **values: Any) -> str:
    """A template with its placeholders filled in."""
    return _template(name).substitute(values)


@cache
def _template(name: str) -> Template:
    return Template((files("loopwright.starting") / "templates" / f"{name}.template").read_text())


def features(columns: Columns) -> str:
    """features.py: what the model sees of a row."""
    lists = {
        "numbers": columns.of("number", "truth"),
        "dates": columns.of("date"),
        "categories": columns.of("category"),
        "texts": columns.of("text"),
    }
    return filled("features.py", **{name: literal(names) for name, names in lists.items()})


def answers_by_itself(columns: Columns, file_format: str) -> bool:
    """Whether a saved pipeline can take the rows as requests have them, so that nobody need write a scoring script: dates and
    free text are turned into numbers by code of the workload's own."""
    return file_format == "csv" and not columns.of("date", "text")


def training_of_a_model(columns: Columns, label: Label, model: Model) -> str:
    """training.py, from the training rows to a fitted pipeline that answers by itself."""
    of_label = {"integer": ".astype(int)", "boolean": ".astype(bool)"}
    return filled(
        "training_model.py",
        numbers=literal(columns.of("number")),
        truths=literal(columns.of("truth")),
        categories=literal(columns.of("category")),
        missing=literal({one.name: list(one.marks) for one in columns.features if one.marks}),
        numeric="[*NUMBERS, LABEL]" if label.type in ("integer", "number") else "NUMBERS",
        boolean="[*TRUTHS, LABEL]" if label.type == "boolean" else "TRUTHS",
        as_label=of_label.get(label.type, ""),
        **_common(label, model, texts=False),
    )


def training(columns: Columns, label: Label, model: Model, file_format: str) -> str:
    """training.py: from the training rows to a fitted pipeline, which score.py asks."""
    imports = ("import os",) if file_format == "parquet" else ("import csv", "import os", "import sys")
    return filled(
        "training.py",
        read_imports="\n".join(imports),
        packages="import numpy as np" + ("\nimport pandas as pd" if file_format == "parquet" else ""),
        read=_reader(columns, label, file_format),
        **_common(label, model, texts=True),
    )


def _common(label: Label, model: Model, texts: bool) -> dict[str, str]:
    """What training scripts of both kinds say."""
    regression = label.task == "regression"
    function = "root_mean_squared_error" if regression else "accuracy_score"
    return {
        "kind": "regression model" if regression else "classifier",
        "sklearn": _imports(model, function, texts),
        "label": literal(label.name),
        "out": "a number" if regression else "a class",
        "comment": model.comment,
        "model": _made(model),
        "options": "\n    ".join(
            f'parser.add_argument("{option}", type={kind}, default={default}, help="{told}")'
            for option, kind, default, told in model.options
        ),
        "metric": "rmse" if regression else "accuracy",
        "function": function,
    }


def _made(model: Model) -> str:
    line = f"{model.name}({model.arguments})"
    if len(f"    model = {line}") <= _LONGEST_LINE:
        return line
    return f"{model.name}(\n        {model.arguments}\n    )"


def _imports(model: Model, function: str, texts: bool) -> str:
    lines = [
        f"from {model.module} import {model.name}",
        *(["from sklearn.feature_extraction.text import TfidfVectorizer"] if texts else []),
        "from sklearn.impute import SimpleImputer",
        f"from sklearn.metrics import {function}",
    ]
    return "\n".join(sorted(lines))


def _reader(columns: Columns, label: Label, file_format: str) -> str:
    marks: Mapping[str, list[str]] = {
        feature.name: list(feature.marks) for feature in columns.features if feature.marks
    }
    truths = [*columns.of("truth"), *([label.name] if label.type == "boolean" else [])]
    word = "text" if file_format == "csv" else "cell"
    of_label = ("str({})" if (label.type, word) == ("string", "cell") else _OF_LABEL[label.type]).format(word)
    return filled(f"read_{file_format}.py", missing=literal(marks), truths=literal(truths), of_label=of_label)


def score(label: Label) -> str:
    """score.py: what answers a request."""
    return filled("score.py", answers=_answers(label))


def _answers(label: Label) -> str:
    if label.task == "regression":
        return '    return [{"prediction": float(value)} for value in model.predict(table)]'
    if label.binary:
        comment = f"    # The probability is that of {literal(label.classes[1])}."
        line = '        {"prediction": classes[p.argmax()].item(), "probability": round(float(p[1]), 6)}'
    else:
        comment = "    # The probabilities are those of each label."
        line = (
            '        {\n            "prediction": classes[p.argmax()].item(),\n'
            '            "probabilities": {str(name): round(float(q), 6) for name, q in zip(classes, p, strict=True)},\n'
            "        }"
        )
    return f"    classes = model.classes_\n{comment}\n    return [\n{line}\n        for p in model.predict_proba(table)\n    ]"


def requirements(*more: str) -> str:
    """requirements.txt: pinned to the versions that are here, which are known to work together."""
    names = ["joblib", "numpy", "scikit-learn", *more]
    return "".join(f"{name}=={metadata.version(name)}\n" for name in sorted(names))


def literal(value: Any) -> str:
    """A value as Python source, in the form that formatters leave alone: double quotes, and a line each where it is long."""
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, dict):
        parts = [f"{literal(name)}: {literal(one)}" for name, one in value.items()]
        return _within("{", parts, "}")
    if isinstance(value, list):
        return _within("[", [literal(one) for one in value], "]")
    return repr(value)


def _within(opening: str, parts: list[str], closing: str) -> str:
    line = opening + ", ".join(parts) + closing
    if len(line) <= _WIDTH:
        return line
    return opening + "".join(f"\n    {part}," for part in parts) + f"\n{closing}"


def _text(value: str) -> str:
    return f'"{value}"' if value.isprintable() and not {'"', "\\"} & set(value) else repr(value)
