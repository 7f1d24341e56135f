"""Runs in the user's interpreter, one process for one model: converts it, then says how the original answers.

    PYTHON conversion_shim.py FOLDER DESCRIPTOR

FOLDER has request.json: {"model": path, "flavor", "code": folder, "names", "types", "example"}. It writes conversion.json
({"plan", "kind", "trees"} or {"reason"}) and perhaps trees.npz, and says `converted` on DESCRIPTOR. Then each line of
standard input names a file of rows; its answers go to the same name with `.answers` behind it: {"columns", "refused"},
or {"error"}. Packaging asks, and compares. Nothing newer than Python 3.8 here, and no import of Loopwright.
"""

# ruff: noqa: PTH100, PTH118, PTH120, PTH123  (a user's Python 3.8, and nothing imported that it does not need)
from __future__ import annotations

import json
import os
import sys
import traceback
import warnings
from importlib.util import module_from_spec, spec_from_file_location
from types import ModuleType
from typing import Any

_HERE = os.path.dirname(os.path.abspath(__file__))
_MOST_REFUSED = 500  # rows that are looked for one by one


def _module(name: str, path: str, folder: str | None = None) -> ModuleType:
    spec = spec_from_file_location(name, path, submodule_search_locations=[folder] if folder else None)
    if spec is None or spec.loader is None:
        raise ImportError(path)
    module = module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def converted(model: Any, request: dict[str, Any], folder: str) -> dict[str, Any]:
    """The content of conversion.json."""
    where = os.path.join(_HERE, "conversion")
    _module("loopwright_conversion", os.path.join(where, "__init__.py"), where)
    from loopwright_conversion import CannotCompile  # type: ignore[import-not-found]
    from loopwright_conversion.model import convert  # type: ignore[import-not-found]

    try:
        made = convert(model, request["names"], request["types"], request["example"])
        trees = made.trees.save(os.path.join(folder, "trees.npz")) if made.trees else None
    except CannotCompile as error:
        return {"reason": str(error)}
    except Exception as error:  # a library of another version than those that we know
        traceback.print_exc()
        return {"reason": f"its parts could not be read ({type(error).__name__}: {error})"}
    return {"plan": made.plan, "kind": made.kind, "trees": trees}


def answers(model: Any, rows: list[Any], request: dict[str, Any]) -> dict[str, Any]:
    """What the original answers, and which rows it refuses."""
    names, types = request["names"], request["types"]
    refused: list[int] = []

    def ask(start: int, some: list[Any]) -> list[tuple[int, Any]]:
        """Pieces of answers; halves are asked where the whole fails."""
        if not some:
            return []
        try:
            return [(start, model.score(some, names, types))]
        except Exception:
            if len(some) > 1 and len(refused) < _MOST_REFUSED:
                middle = len(some) // 2
                return ask(start, some[:middle]) + ask(start + middle, some[middle:])
            if len(some) > 1:
                raise
            refused.append(start)
            return [(start, [[None] for _ in model.outputs])]

    pieces = [columns for _, columns in ask(0, rows)]
    return {
        "columns": [[value for piece in pieces for value in piece[at]] for at in range(len(model.outputs))],
        "refused": refused,
    }


def main(arguments: list[str]) -> None:
    """Convert, then answer until standard input ends."""
    folder, descriptor = arguments
    tell = os.fdopen(int(descriptor), "w", buffering=1)
    with open(os.path.join(folder, "request.json"), encoding="utf-8") as file:
        request = json.load(file)
    sys.path[:] = [place for place in sys.path if os.path.abspath(place or ".") != _HERE]
    sys.path.insert(0, request["code"])
    warnings.simplefilter("ignore")
    model = None
    try:
        shim = _module(
            "loopwright_model_shim", os.path.join(os.path.dirname(_HERE), "scoring", "model_shim.py")
        )
        model = shim.load(request["model"], request["flavor"])
        result = converted(model, request, folder)
    except Exception as error:
        result = {"reason": f"it cannot be loaded ({error})"}
    _write(os.path.join(folder, "conversion.json"), result)
    print("converted", file=tell)
    for line in sys.stdin:
        path = line.rstrip("\n")
        with open(path, encoding="utf-8") as file:
            rows = json.load(file)
        try:
            answered = answers(model, rows, request)
        except Exception as error:
            traceback.print_exc()
            answered = {"error": f"{type(error).__name__}: {error}"}
        _write(path + ".answers", answered)
        print("answered", file=tell)


def _write(path: str, content: Any) -> None:
    with open(path, "w", encoding="utf-8") as file:
        json.dump(content, file)


if __name__ == "__main__":
    main(sys.argv[1:])
