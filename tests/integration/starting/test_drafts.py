"""What is drafted runs: the data step takes the table, the training script learns, the scoring script answers.

Here without a control plane; `up` brings a draft to production in the acceptance tests.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
from tables import change, customers, houses, write

from loopwright.datasets import job as data_job
from loopwright.evaluation import rows
from loopwright.operations.declaration import read_declaration
from loopwright.operations.starting import Beginning, init
from loopwright.scoring import model_shim
from loopwright.spec import CasesFile, parse
from loopwright.spec.models import Workload
from loopwright.training import render

_ASK = "import json, sys, score; score.init(); print(json.dumps([score.run(line) for line in sys.stdin]))"


@dataclass(frozen=True)
class Rehearsal:
    """A draft with its data split, its model trained, and answers to the held-out rows."""

    spec: Workload
    folder: Path
    told: dict[str, Any]
    data: dict[str, Any]
    requests: list[dict[str, Any]]
    answers: list[Any]
    labels: list[Any]

    def accuracy(self) -> float:
        right = [str(a["prediction"]) == str(y) for a, y in zip(self.answers, self.labels, strict=True)]
        return sum(right) / len(right)


def rehearse(tmp_path: Path, table: Path, label: str, **more: Any) -> Rehearsal:
    folder = tmp_path / "drafted"
    told = init(Beginning(folder, table, label, owner="ada@example.com", **more))
    declared = read_declaration(folder)
    assert declared.warnings == ()
    spec = declared.spec
    data, parts = _split(spec, folder, tmp_path)
    model = tmp_path / "model"
    values = {f"data.{next(iter(spec.data))}.train": str(parts / data["train"]), "outputs": str(model)}
    command = [sys.executable, *render(spec.training.command, values)[1:]]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    held_out = rows.read(parts / data["test"], data["missing_values"])
    requests = rows.requests(held_out, data["columns"])
    cases = parse(CasesFile, folder / "tests" / "functional.yaml").cases
    good = [case.request for case in cases if case.expect.status == 200]
    ask = _asked if spec.serving.model is None else partial(_asked_itself, columns=data["columns"])
    answers = ask(folder, model, [*requests, *good])
    expected = [case.expect.values["prediction"] for case in cases if "prediction" in case.expect.values]
    assert expected
    return Rehearsal(
        spec, folder, told, data, requests, answers[: len(requests)], rows.plain(held_out[label])
    )


def _split(spec: Workload, folder: Path, tmp_path: Path) -> tuple[dict[str, Any], Path]:
    (name, declared), parts = next(iter(spec.data.items())), tmp_path / "parts"
    parts.mkdir()
    given = {
        "name": name,
        "source": str(folder / declared.source),
        "source_name": declared.source,
        "schema": str(folder / str(declared.data_schema)),
        "schema_name": declared.data_schema,
        "label": declared.label,
        "split": declared.split.model_dump(),
        "modified_at": 0.0,
        "now": 0.0,
    }
    return data_job.work(given, parts), parts


def _asked(folder: Path, model: Path, requests: list[Any]) -> list[Any]:
    lines = "".join(json.dumps(request) + "\n" for request in requests)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", _ASK],
        cwd=folder,
        input=lines,
        capture_output=True,
        text=True,
        env=os.environ | {"MODEL_DIR": str(model)},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answers: list[Any] = json.loads(done.stdout)
    return answers


def _asked_itself(folder: Path, model: Path, requests: list[Any], columns: list[dict[str, Any]]) -> list[Any]:
    """The answers of a model that needs no script, as its package asks it; a list of rows has a list of answers."""
    assert not (folder / "score.py").exists()
    served = model_shim.load(str(model / "model.joblib"), "sklearn")
    names, types = [one["name"] for one in columns], [one["type"] for one in columns]
    served.check(names, types)
    outputs = [name for name, _ in served.outputs]

    def asked(request: Any) -> Any:
        listed = request if isinstance(request, list) else [request]
        scored = served.score([[row.get(name) for name in names] for row in listed], names, types)
        answers = [dict(zip(outputs, answer, strict=True)) for answer in zip(*scored, strict=True)]
        return answers if isinstance(request, list) else answers[0]

    return [asked(request) for request in requests]


def test_parquet_with_times_true_and_false_and_a_label_of_true_and_false(tmp_path: Path) -> None:
    frame = pd.DataFrame(customers())
    frame["joined"] = pd.to_datetime(frame["joined"])
    frame["vip"] = frame["vip"] == "True"
    frame["spent"] = pd.to_numeric(frame["spent {CHF}"], errors="coerce")
    frame = frame[["joined", "vip", "spent", "zip", "remark"]]
    frame.to_parquet(tmp_path / "customers.parquet")
    done = rehearse(tmp_path, tmp_path / "customers.parquet", "vip")
    assert done.told["features"]["joined"] == "date"
    assert {answer["prediction"] for answer in done.answers} == {True, False}
    assert done.spec.evaluation.positive is True
    assert done.accuracy() > 0.8


def test_a_rare_label_is_judged_by_ranks(tmp_path: Path) -> None:
    def rare(number: int, row: dict[str, Any]) -> dict[str, Any]:
        return row | {"price": "sold" if number % 12 == 0 else "open", "size": number % 12}

    done = rehearse(tmp_path, write(tmp_path / "offers.csv", change(houses(), rare)), "price")
    assert done.spec.evaluation.gates[0].metric == "roc_auc"
    assert done.spec.evaluation.positive == "sold"
    sold = [a["probability"] for a, y in zip(done.answers, done.labels, strict=True) if y == "sold"]
    assert min(sold) > 0.5


def test_true_and_false_as_label_and_marks_for_gaps_are_read_as_requests_have_them(tmp_path: Path) -> None:
    def plain(number: int, row: dict[str, Any]) -> dict[str, Any]:
        return {name: row[name] for name in ("vip", "spent {CHF}", "Größe: cm", "zip")}

    done = rehearse(tmp_path, write(tmp_path / "vip.csv", change(customers(), plain)), "vip")
    assert done.spec.serving.model == "model.joblib"
    assert {answer["prediction"] for answer in done.answers} == {True, False}
    assert done.accuracy() > 0.8
