"""A workload that costs next to nothing: no package to install, no library to import, a model that is one number.

For tests of the loop itself. A whole `up` of it takes seconds where the example's takes most of a minute.
"""

from __future__ import annotations

from pathlib import Path

ROWS = 120
_SPEC = """\
apiVersion: loopwright/v1
workload: {name}
owner: ada@example.com
data: {{rows: {{source: rows.csv, label: y}}}}
training:
  command: "python train.py {{data.rows.train}} {{outputs}}/model.json"
  dependencies: {{requirements: requirements.txt}}
  files: [train.py]
evaluation: {{gates: [{{metric: accuracy, min: 0.5}}]}}
serving: {{entry: score.py, replicas: {{min: 1, max: 1}}}}
environments: {environments}
"""
_TRAIN = """\
import csv, json, sys

with open(sys.argv[1]) as file:
    rows = list(csv.DictReader(file))
ones = [float(row["x"]) for row in rows if row["y"] == "1"]
zeros = [float(row["x"]) for row in rows if row["y"] == "0"]
with open(sys.argv[2], "w") as file:
    json.dump((sum(ones) / len(ones) + sum(zeros) / len(zeros)) / 2, file)
print("trained on", len(rows), "rows")
"""
_SCORE = """\
import json, os


def init():
    global border
    with open(os.path.join(os.environ["MODEL_DIR"], "model.json")) as file:
        border = json.load(file)


def run(data):
    asked = json.loads(data)
    if isinstance(asked, dict) and "data" in asked:
        asked = asked["data"]
    answers = [{"prediction": int(row["x"] > border)} for row in (asked if isinstance(asked, list) else [asked])]
    return answers if isinstance(asked, list) else answers[0]
"""


def make_tiny(folder: Path, name: str = "tiny", environments: str = "{dev: {}}", more: str = "") -> Path:
    """Write the workload into a new folder; `more` is put at the end of its spec, as further sections."""
    folder.mkdir(parents=True)
    rows = "".join(f"{number / ROWS:.4f},{int(number >= ROWS / 2)}\n" for number in range(ROWS))
    spec = _SPEC.format(name=name, environments=environments) + more
    files = {"rows.csv": f"x,y\n{rows}", "train.py": _TRAIN, "score.py": _SCORE, "loopwright.yaml": spec}
    for path, text in files.items():
        (folder / path).write_text(text)
    (folder / "requirements.txt").write_text("# The standard library is all it needs.\n")
    return folder
