"""Count who survives, by gender and class. The standard library is enough for it."""

import argparse
import csv
import json
from collections import Counter
from pathlib import Path


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--model-path", type=Path, required=True)
    arguments = parser.parse_args()
    seen, survived = Counter(), Counter()
    with arguments.data.open(newline="") as file:
        for row in csv.DictReader(file):
            group = f"{row['gender']} {row['class']}"
            seen[group] += 1
            survived[group] += int(row["survived"])
    rates = {group: survived[group] / count for group, count in sorted(seen.items())}
    arguments.model_path.write_text(json.dumps(rates))
    print(rates)


if __name__ == "__main__":
    main()
