"""Models served without a script: loads their files and scores rows with them, inside the user's interpreter and lock.

Why it exists: somebody has to know what each library gives: which class is the positive one, in which order and type a
model wants its columns, how it takes missing values. The worker asks for it at every batch, and packaging for the
original's answers when it compiles; both come in by `model_shim`. Nothing newer than Python 3.8 here, no import of
Loopwright, and the user's libraries only when a model needs them.

A row is a sequence of values in the order of `names`, None where one is missing; `types` says integer, number, string
or boolean for each. Answers are columns: one list for each of `Model.outputs`, each as long as the rows.
"""

from __future__ import annotations

import os
from typing import Any, Callable

from .misfits import find as misfit
from .tables import Model, ModelError, RowError

__all__ = ["FLAVORS", "Model", "ModelError", "RowError", "load", "misfit", "of"]

FLAVORS = ("sklearn", "xgboost", "lightgbm", "mlflow", "onnx")


def load(path: str, flavor: str) -> Model:
    """Load the model at `path`, a file or (mlflow) a folder; raises ModelError."""
    loaders: dict[str, Callable[[str], Model]] = {
        "sklearn": _pickled,
        "xgboost": _xgboost,
        "lightgbm": _lightgbm,
        "mlflow": _mlflow,
        "onnx": _onnx,
    }
    if flavor not in loaders:
        raise ModelError("The flavor of a model is one of {}, found {!r}.".format(", ".join(FLAVORS), flavor))
    if not os.path.exists(path):
        raise ModelError(f"The model {path} is not there; package the workload again.")
    name = os.path.basename(path.rstrip("/"))
    try:
        return loaders[flavor](path)
    except ModelError:
        raise
    except ModuleNotFoundError as error:
        raise ModelError(
            f"The model {name} needs the module {error.name}, which its environment does not have; add the package to the "
            "workload's dependencies and lock again."
        ) from error
    except Exception as error:
        raise ModelError(f"The model {name} cannot be loaded as {flavor}: {_reason(error)}") from error


def of(loaded: Any) -> Model:
    """The Model around an object that is in memory already: an estimator or a booster; raises ModelError."""
    library = type(loaded).__module__.split(".")[0]
    if type(loaded).__name__ == "Booster" and library in ("xgboost", "lightgbm"):
        from .boosters import LightgbmBooster, XgboostBooster

        return XgboostBooster(loaded) if library == "xgboost" else LightgbmBooster(loaded)
    if not callable(getattr(loaded, "predict", None)):
        raise ModelError(
            f"The model file holds a {type(loaded).__name__}, expected an estimator with predict(); save the fitted model itself, or "
            "serve it by a script with serving.entry."
        )
    from .estimators import Estimator

    return Estimator(loaded)


def _pickled(path: str) -> Model:
    from .files import unpickle

    return of(unpickle(path))


def _xgboost(path: str) -> Model:
    from .files import is_pickle, load_xgboost

    return _pickled(path) if is_pickle(path) else of(load_xgboost(path))


def _lightgbm(path: str) -> Model:
    from .files import is_pickle, load_lightgbm

    return _pickled(path) if is_pickle(path) else of(load_lightgbm(path))


def _mlflow(path: str) -> Model:
    from .pyfunc import load_mlflow

    loaded = load_mlflow(path)
    return loaded if isinstance(loaded, Model) else of(loaded)


def _onnx(path: str) -> Model:
    from .graphs import OnnxModel

    return OnnxModel(path)


def _reason(error: Exception) -> str:
    if isinstance(error, AttributeError) and "__main__" in str(error):
        return (
            f"it was saved with something of the training script itself ({str(error).partition(' on <')[0]}); define that in a "
            "module of its own and import it there."
        )
    first = str(error).strip().split("\n", 1)[0]  # XGBoost adds a trace of its own
    return f"{type(error).__name__}: {first}"
