"""The example spec, complete, with the files that it names."""

from __future__ import annotations

from pathlib import Path

import pytest

EXAMPLE = """\
apiVersion: loopwright/v1
workload: titanic
owner: data-team@example.com
description: Who survives the Titanic?
data:
  passengers: {source: data/passengers.csv, label: survived, owner: data-team@example.com, fresh_within: 30d,
               schema: schemas/passengers.yaml, split: {test: 25%, by: row}}
training:
  command: python training.py --data {data.passengers.train} --model-path {outputs}/model.joblib
  dependencies: {requirements: requirements.txt}
  compute: {nodes: 1, cpu: 1, memory: 1Gi, max_duration: 10m}
evaluation:
  prediction: prediction                       # where the answer's prediction is
  gates: [{metric: accuracy, min: 0.75}, {metric: accuracy, min_versus_champion: -0.01}, {metric: accuracy, slice: gender, min: 0.65}]
serving:
  entry: score.py
  replicas: {min: 2, max: 4, target_utilization: 70%, scale_interval: 1s}
  limits: {concurrency: 8, queue: 64, queue_wait: 2s, timeout: 5s}
  resources: {cpu: 500m, memory: 512Mi}
  auth: key
tests: {functional: tests/functional.yaml, stress: {requests: 2000, concurrency: 32, max_error_rate: 0%, p99: 250ms}}
environments:
  dev: {engine: local}
  prod: {engine: local, approval: required}
"""
CASES = """\
cases:
  - name: a woman in first class
    request: {gender: female, age: 30.0, class: 1st}
    expect: {values: {prediction: 1, probability: {min: 0.5, max: 1}}, max_time: 1s}
  - name: not JSON
    request_text: "{"
    expect: {status: 400}
"""
FILES = ("data/passengers.csv", "schemas/passengers.yaml", "requirements.txt", "training.py", "score.py")


@pytest.fixture
def example() -> str:
    return EXAMPLE


@pytest.fixture
def cases() -> str:
    return CASES


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A workload's folder with the example in it."""
    for name in FILES:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "functional.yaml").write_text(CASES)
    (tmp_path / "loopwright.yaml").write_text(EXAMPLE)
    return tmp_path
