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


def training(columns: Columns, label: Label, model: Model, file_format: str) -> str:
    """training.py: from the training rows to a fitted pipeline."""
    regression = label.task == "regression"
    function = "root_mean_squared_error" if regression else "accuracy_score"
    imports = ("import os",) if file_format == "parquet" else ("import csv", "import os", "import sys")
    return filled(
        "training.py",
        kind="regression model" if regression else "classifier",
        read_imports="\n".join(imports),
        packages="import numpy as np" + ("\nimport pandas as pd" if file_format == "parquet" else ""),
        sklearn=_imports(model, function),
        label=literal(label.name),
        read=_reader(columns, label, file_format),
        out="a number" if regression else "a class",
        comment=model.comment,
        model=f"{model.name}({model.arguments})",
        options="\n    ".join(
            f'parser.add_argument("{option}", type={kind}, default={default}, help="{told}")'
            for option, kind, default, told in model.options
        ),
        metric="rmse" if regression else "accuracy",
        function=function,
    )


def _imports(model: Model, function: str) -> str:
    lines = [
        f"from {model.module} import {model.name}",
        "from sklearn.feature_extraction.text import TfidfVectorizer",
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


def requirements(file_format: str) -> str:
    """requirements.txt: pinned to the versions that are here, which are known to work together."""
    names = ["joblib", "numpy", "scikit-learn", *(["pandas", "pyarrow"] if file_format == "parquet" else [])]
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
