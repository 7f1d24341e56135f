"""Loads a model once, in the user's own interpreter, and writes down what it answers with.

Run by `describing` as `python -I describe_shim.py REQUEST`; only the standard library, and nothing newer than Python 3.8,
for the interpreter is the user's. REQUEST is a JSON file: `shim` (path of model_shim.py), `code` (folder of the package's
modules), `model`, `flavor`, `names`, `types`, `nullable` (names), `row`, and `answer`, the file that is written:
`{"outputs": [[name, type]]}`, or `{"refused": sentence}`.
"""

# ruff: noqa: PTH119, PTH123, UP006, UP035  (a user's Python 3.8; whatever loading raises is told)
from __future__ import annotations

import importlib.util
import json
import os
import sys
import traceback
from typing import Any, Dict

_PICKLED_TOO = ("xgboost", "lightgbm")  # what a pickle holds shows only once it is loaded


def main() -> None:
    """Describe the model of the request that the only argument names."""
    with open(sys.argv[1], encoding="utf-8") as file:
        request = json.load(file)
    try:
        answer = _described(request)
    except Exception as error:
        traceback.print_exc()
        kind, name = type(error).__name__, os.path.basename(request["model"])
        told = (
            str(error)
            if kind in ("ModelError", "RowError")
            else f"The model {name} cannot be asked: {kind}: {error}."
        )
        answer = {"refused": told}
    with open(request["answer"], "w", encoding="utf-8") as file:
        json.dump(answer, file)


def _described(request: Dict[str, Any]) -> Dict[str, Any]:
    sys.path.insert(0, request["code"])  # a pickle may name the user's own modules
    flavor, name = request["flavor"], os.path.basename(request["model"])
    model = _shim(request["shim"]).load(request["model"], flavor)
    if flavor in _PICKLED_TOO and flavor not in sys.modules:
        return {
            "refused": f"The model {name} was not made by {flavor}, as serving.flavor says. Correct it, or leave it out."
        }
    model.check(request["names"], request["types"])
    model.check_missing(request["names"], request["nullable"])
    model.score([request["row"]], request["names"], request["types"])  # what some answer with shows only then
    return {"outputs": [list(output) for output in model.outputs]}


def _shim(path: str) -> Any:
    spec = importlib.util.spec_from_file_location("loopwright_model_shim", path)
    if spec is None or spec.loader is None:
        raise ImportError(path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    main()
