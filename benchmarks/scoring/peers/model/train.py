"""Train the benchmark's two models on the Titanic's passengers, and note what they answer; run in the models' lock.

    python train.py DATA FOLDER

Writes FOLDER/forest and FOLDER/logistic, each with `model.joblib`, a plain scikit-learn pipeline of rows with strings and
missing values, and FOLDER/rows.json: passengers that no model has seen, each with the probabilities that both give.
"""

import json
import sys
from pathlib import Path

import joblib
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

CATEGORIES = ["gender", "class", "embarked"]
NUMBERS = ["age", "fare", "sibsp", "parch"]
COLUMNS = CATEGORIES + NUMBERS
TREES = 100
ROWS = 64  # that the load is made of
ESTIMATORS = {
    "forest": RandomForestClassifier(n_estimators=TREES, random_state=1912),
    "logistic": LogisticRegression(max_iter=2000, random_state=1912),
}


def pipeline(estimator):
    """What examples/titanic has before its model: columns by position, so that serving needs no data frame."""
    categories = make_pipeline(
        SimpleImputer(strategy="most_frequent"), OneHotEncoder(handle_unknown="ignore")
    )
    return make_pipeline(
        make_column_transformer(
            (categories, list(range(len(CATEGORIES)))),
            (SimpleImputer(strategy="median"), list(range(len(CATEGORIES), len(COLUMNS)))),
        ),
        estimator,
    )


def main(data, folder):
    frame = pd.read_csv(data)
    train, test = train_test_split(frame, test_size=0.25, random_state=1912)
    rows, labels = train[COLUMNS].to_numpy(dtype=object), train["survived"].to_numpy()
    asked = test[COLUMNS].sample(ROWS, random_state=1912).to_numpy(dtype=object)
    answers = {}
    for name, estimator in ESTIMATORS.items():
        model = pipeline(estimator).fit(rows, labels)
        (folder / name).mkdir(parents=True, exist_ok=True)
        joblib.dump(model, folder / name / "model.joblib")
        answers[name] = model.predict_proba(asked)[:, 1].tolist()
    plain = [dict(zip(COLUMNS, row, strict=True)) for row in asked]  # none of them has a missing value
    train.to_csv(folder / "train.csv", index=False)
    test.to_csv(folder / "test.csv", index=False)
    (folder / "rows.json").write_text(json.dumps({"rows": plain, "answers": answers}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
