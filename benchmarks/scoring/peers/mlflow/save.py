"""Write a trained model in MLflow's form, beside its file, such that its server answers with probabilities: save.py FOLDER."""

import sys
from pathlib import Path

import joblib
import mlflow.sklearn

folder = Path(sys.argv[1])
mlflow.sklearn.save_model(
    joblib.load(folder / "model.joblib"),
    folder / "mlflow",
    pyfunc_predict_fn="predict_proba",
    serialization_format="cloudpickle",
    pip_requirements=[],
)
