"""Train a regression of how far diabetes progresses in a year. Plain scikit-learn: nothing here knows how it is run."""

import argparse
import csv
from pathlib import Path

import joblib
import numpy as np
from sklearn.linear_model import Ridge
from sklearn.metrics import r2_score, root_mean_squared_error
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

COLUMNS = ["age", "sex", "bmi", "blood_pressure", "tc", "ldl", "hdl", "tch", "ltg", "glucose"]
LABEL = "progression"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="CSV of the training rows, label included")
    parser.add_argument("--model-path", type=Path, required=True, help="where the trained model is written")
    parser.add_argument("--alpha", type=float, default=10.0, help="penalty on large weights")
    arguments = parser.parse_args()

    with arguments.data.open(newline="") as file:
        rows = list(csv.DictReader(file))
    table = np.array([[float(row[name]) for name in COLUMNS] for row in rows])
    labels = np.array([float(row[LABEL]) for row in rows])
    # The blood values depend on each other: without a penalty their weights are large and of opposite signs.
    model = make_pipeline(StandardScaler(), Ridge(alpha=arguments.alpha)).fit(table, labels)

    fitted = model.predict(table)
    print(f"rows: {len(rows)}")
    print(f"train rmse: {root_mean_squared_error(labels, fitted):.2f}")
    print(f"train r2: {r2_score(labels, fitted):.3f}")
    for name, weight in zip(COLUMNS, model[-1].coef_, strict=True):
        print(f"  {name:15} {weight:7.2f} for a standard deviation more")

    arguments.model_path.parent.mkdir(parents=True, exist_ok=True)
    joblib.dump({"model": model, "columns": COLUMNS}, arguments.model_path)
    print(f"model written to {arguments.model_path}")


if __name__ == "__main__":
    main()
