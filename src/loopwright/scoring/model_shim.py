"""The way into `models` from the user's own interpreter, where Loopwright is not installed.

The worker and packaging load this one file by its path, and it loads the package of that name beside it. Only the
standard library at import, nothing newer than Python 3.8.

    model = load(path, flavor)           # flavor: sklearn, xgboost, lightgbm, mlflow or onnx
    model.outputs                        # (("prediction", "integer"), ("probability", "number"))
    model.check(names, types)            # raises ModelError where the inputs are not the model's
    model.score(rows, names, types)      # one list per output, each as long as rows
"""

# ruff: noqa: PTH100, PTH118, PTH120  (a user's Python 3.8, and nothing imported that it does not need)
from __future__ import annotations

import os
import sys
from importlib.util import module_from_spec, spec_from_file_location
from types import ModuleType
from typing import Any

_NAME = "loopwright_models"


def _models() -> ModuleType:
    if _NAME not in sys.modules:
        folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), "models")
        path = os.path.join(folder, "__init__.py")
        spec = spec_from_file_location(_NAME, path, submodule_search_locations=[folder])
        if spec is None or spec.loader is None:
            raise ImportError(path)
        module = module_from_spec(spec)
        sys.modules[_NAME] = module
        spec.loader.exec_module(module)
    return sys.modules[_NAME]


def load(path: str, flavor: str) -> Any:
    """Load the model at `path`, a file or (mlflow) a folder, as a `models.Model`; raises `ModelError`."""
    return _models().load(path, flavor)


def of(loaded: Any) -> Any:
    """The `models.Model` around an estimator or booster that is in memory already; raises `ModelError`."""
    return _models().of(loaded)


ModelError: Any = _models().ModelError
