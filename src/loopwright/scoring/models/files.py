"""Reading model files of each kind into the objects that their libraries made."""

from __future__ import annotations

import os
from typing import Any

from .tables import ModelError

_SKLEARN_ATTRIBUTE = "scikit_learn"  # in a booster's attributes where XGBoost's estimators saved it


def is_pickle(path: str) -> bool:
    """Whether the file is a pickle, or compressed as joblib does; boosters' own formats are neither."""
    with open(path, "rb") as file:
        start = file.read(6)
    if os.path.splitext(path)[1] in (".joblib", ".pkl", ".pickle", ".skops"):
        return True
    return start[:1] == b"\x80" and start[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05")


def unpickle(path: str) -> Any:
    """What joblib, pickle, cloudpickle or skops wrote."""
    if path.endswith(".skops"):
        import skops.io

        return skops.io.load(path, trusted=skops.io.get_untrusted_types(file=path))
    try:
        import joblib
    except ImportError:
        import pickle

        with open(path, "rb") as file:
            return pickle.load(file)
    return joblib.load(path)


def load_xgboost(path: str) -> Any:
    """A Booster, or the estimator that saved it: that one knows where early stopping ended."""
    import xgboost

    booster = xgboost.Booster(model_file=path)
    saved = booster.attr(_SKLEARN_ATTRIBUTE)
    if not saved:
        return booster
    estimator = xgboost.XGBClassifier() if '"classifier"' in saved else xgboost.XGBRegressor()
    estimator.load_model(path)
    return estimator


def load_lightgbm(path: str) -> Any:
    """The Booster in LightGBM's text form."""
    import lightgbm

    with open(path, "rb") as file:
        if file.read(4) != b"tree":
            raise ModelError(
                f"The model {os.path.basename(path)} is not LightGBM's text form, expected what Booster.save_model() writes, or a joblib or "
                "pickle file of an estimator."
            )
    return lightgbm.Booster(model_file=path)
