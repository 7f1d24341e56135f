"""Loads a model once, in the user's own interpreter, and writes down what it answers with.

Run by `describing` as `python -I describe_shim.py REQUEST`; only the standard library, and nothing newer than Python 3.8,
for the interpreter is the user's. REQUEST is a JSON file: `shim` (path of model_shim.py), `code` (folder of the package's
modules), `model`, `flavor`, `names`, `types`, `row`, and `answer`, the file that is written: `{"outputs": [[name, type]]}`, or
`{"error": sentence}`.
"""

# ruff: noqa: PTH123, UP006, UP035  (a user's Python 3.8; whatever loading raises is told)
from __future__ import annotations

import importlib.util
import json
import sys
import traceback
from typing import Any, Dict


class _ForeignError(Exception):
    """A sentence for a person."""


_LIBRARIES = (
    "xgboost",
    "lightgbm",
)  # whose models are pickled too: what a pickle holds shows once it is loaded


def main() -> None:
    """Describe the model of the request that the only argument names."""
    with open(sys.argv[1], encoding="utf-8") as file:
        request = json.load(file)
    try:
        answer = _described(request)
    except Exception as error:
        traceback.print_exc()
        kind = type(error).__name__
        answer = {"error": str(error) if kind in ("ModelError", "_ForeignError") else f"{kind}: {error}"}
    with open(request["answer"], "w", encoding="utf-8") as file:
        json.dump(answer, file)


def _described(request: Dict[str, Any]) -> Dict[str, Any]:
    sys.path.insert(0, request["code"])  # a pickle may name the user's own modules
    model = _shim(request["shim"]).load(request["model"], request["flavor"])
    if request["flavor"] in _LIBRARIES and request["flavor"] not in sys.modules:
        raise _ForeignError(f"it was not made by {request['flavor']}, as serving.flavor says")
    model.check(request["names"], request["types"])
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
