"""Train a classifier of messages by topic. Plain scikit-learn: nothing here knows how it is run."""

import argparse
import csv
from pathlib import Path

import joblib
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score
from sklearn.pipeline import make_pipeline


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="CSV of the training rows, label included")
    parser.add_argument("--model-path", type=Path, required=True, help="where the trained model is written")
    parser.add_argument(
        "--c", type=float, default=10.0, help="inverse strength of the penalty on large weights"
    )
    arguments = parser.parse_args()

    with arguments.data.open(newline="") as file:
        rows = list(csv.DictReader(file))
    texts, topics = [row["text"] for row in rows], [row["topic"] for row in rows]
    # Pairs of words too: "my account" and "an account" are about different things.
    words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)
    model = make_pipeline(words, LogisticRegression(C=arguments.c, max_iter=1000)).fit(texts, topics)

    print(f"rows: {len(rows)}, words and pairs: {len(model[0].vocabulary_)}")
    print(f"train accuracy: {accuracy_score(topics, model.predict(texts)):.4f}")

    arguments.model_path.parent.mkdir(parents=True, exist_ok=True)
    joblib.dump(model, arguments.model_path)
    print(f"model written to {arguments.model_path}")


if __name__ == "__main__":
    main()
