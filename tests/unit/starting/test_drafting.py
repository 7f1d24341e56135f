"""What is decided from a table, and what is refused."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from tables import Row, change, customers, houses, write

from loopwright.datasets.reading import read
from loopwright.errors import NotFoundError, StepFailed
from loopwright.starting import Draft, Wish, draft, named_after


def drafted(tmp_path: Path, rows: list[Row], label: str, **more: Any) -> Draft:
    table = write(tmp_path / "t.csv", rows)
    return draft(read(table, "t.csv"), Wish(label, "toy", "t", "t.csv", "ada@example.com", **more))


def refused(tmp_path: Path, rows: list[Row], label: str, **more: Any) -> str:
    with pytest.raises((StepFailed, NotFoundError)) as caught:
        drafted(tmp_path, rows, label, **more)
    return caught.value.message


def without(*names: str) -> list[Row]:
    return change(customers(), lambda _, row: {name: row[name] for name in row if name not in names})


@pytest.mark.parametrize(
    ("rows", "scripts"),
    [
        (customers(), ["features.py", "score.py", "training.py"]),
        (without("joined"), ["features.py", "score.py", "training.py"]),
        (without("joined", "remark"), ["training.py"]),
    ],
)
def test_the_scripts_are_formatted_python_without_a_complaint(
    tmp_path: Path, rows: list[Row], scripts: list[str]
) -> None:
    files = drafted(tmp_path, rows, "class").files
    assert sorted(name for name in files if name.endswith(".py")) == scripts
    assert ("model: model.joblib" in files["loopwright.yaml"]) == (len(scripts) == 1)
    for name in scripts:
        ast.parse(files[name])
        (tmp_path / name).write_text(files[name])
    rules = ["--isolated", "--line-length", "120"]
    for words in (["check", *rules, "--select", "E,F,I,B,UP,SIM"], ["format", "--check", *rules]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *words, "--no-cache", "."],
            cwd=tmp_path,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout + done.stderr


def test_each_column_is_put_to_its_use(tmp_path: Path) -> None:
    made = drafted(tmp_path, customers(), "class")
    assert made.features == {
        "spent {CHF}": "number",
        "Größe: cm": "number",
        "zip": "category",
        "joined": "date",
        "vip": "truth",
        "remark": "text",
    }
    assert set(made.left_out) == {"customer_id", "row", "country", "born"}
    assert "write them so" in made.left_out["born"]


def test_names_that_yaml_and_python_would_misread_arrive_whole(tmp_path: Path) -> None:
    odd = ['a "b" \\ c', "x: y # z", "{data.t.train}", "no", "1", "two\nlines", "日本", "it's"]
    rows = [dict.fromkeys(odd, number % 7) | {"y": number * 0.5} for number in range(40)]
    made = drafted(tmp_path, rows, "y")
    names: dict[str, Any] = {}
    exec(made.files["training.py"].partition("def read")[0], names)  # noqa: S102
    assert names["NUMBERS"] == odd
    assert list(yaml.safe_load(made.files["schemas/t.yaml"])["columns"]) == [*odd, "y"]


def test_rows_that_share_an_identifier_are_held_out_together(tmp_path: Path) -> None:
    visits = change(houses(), lambda number, row: {"patient_id": f"P{number // 4}"} | row)
    made = drafted(tmp_path, visits, "price")
    assert "by: patient_id}" in made.files["loopwright.yaml"]
    assert "held out together" in made.left_out["patient_id"]


def test_an_identifier_of_few_things_is_a_category(tmp_path: Path) -> None:
    sold = change(houses(), lambda number, row: {"shop_id": f"S{number % 5}"} | row)
    assert drafted(tmp_path, sold, "price").features["shop_id"] == "category"


@pytest.mark.parametrize(
    ("labels", "task", "expected"),
    [
        (["yes", "no"], None, "classification"),
        ([1, 2, 3], None, "classification"),
        ([0.0, 1.0], None, "classification"),
        (range(200), None, "regression"),
        ([0.5, 1.5, 2.5, 3.5], None, "regression"),
        ([1, 2, 3], "regression", "regression"),
        (range(50), "classification", "classification"),
    ],
)
def test_the_task_follows_from_the_label(
    tmp_path: Path, labels: Any, task: str | None, expected: str
) -> None:
    rows = [row | {"price": labels[number % len(labels)]} for number, row in enumerate(houses())]
    made = drafted(tmp_path, rows, "price", task=task)
    spec = yaml.safe_load(made.files["loopwright.yaml"])
    assert made.task == spec["evaluation"]["task"] == expected
    metrics = {gate["metric"] for gate in spec["evaluation"]["gates"]}
    assert metrics <= ({"rmse"} if expected == "regression" else {"accuracy", "f1", "roc_auc"})
    schema = yaml.safe_load(made.files["schemas/t.yaml"])["columns"]["price"]
    assert ("values" in schema) is (expected == "classification")


def test_the_gate_asks_for_more_than_the_trivial_answer_on_the_rows_that_are_held_out(tmp_path: Path) -> None:
    rows = change(houses(400), lambda number, row: row | {"price": "a" if number % 10 < 6 else "b"})
    made = drafted(tmp_path, rows, "price")
    bound = yaml.safe_load(made.files["loopwright.yaml"])["evaluation"]["gates"][0]["min"]
    assert 0.58 < bound < 0.75
    assert "always answering 'a' is right for" in made.decisions[-1]


def test_one_label_of_many_that_has_nearly_all_rows_is_judged_by_the_mean_over_labels(tmp_path: Path) -> None:
    rows = change(houses(), lambda n, row: row | {"price": "abc"[1 + n // 10 % 2] if n % 10 == 0 else "a"})
    assert "{metric: f1, min: 0." in drafted(tmp_path, rows, "price").files["loopwright.yaml"]


def test_blanks_and_marks_among_numbers_count_as_missing(tmp_path: Path) -> None:
    gap = {3: " ", 5: "NA", 7: " ? "}
    made = drafted(
        tmp_path, change(houses(), lambda n, row: row | {"size": gap.get(n, row["size"])}), "price"
    )
    assert made.features["size"] == "number"
    assert yaml.safe_load(made.files["schemas/t.yaml"])["columns"]["size"]["missing_values"] == [
        " ",
        " ? ",
        "NA",
    ]


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (lambda n, row: row | {"price": "" if n in (3, 5) else row["price"]}, ("2 rows of 200 have no label", "lines 5, 7")),
        (lambda n, row: row | {"price": 7}, ("only the value 7", "nothing to learn")),
        (lambda n, row: row | {"price": f"house {n}"}, ("200 different values", "Is it the right column?")),
        (lambda n, row: row | {"size": "12 m" if n == 4 else row["size"]}, ("size", "line 6 '12 m'", "--leave-out")),
        (lambda n, row: {"price": row["price"], "same": 1}, ("no column is left", "same: it has one value only, 1")),
    ],
)  # fmt: skip
def test_what_nothing_can_be_learned_from_is_refused(
    tmp_path: Path, edit: Any, words: tuple[str, ...]
) -> None:
    told = refused(tmp_path, change(houses(), edit), "price")
    for word in words:
        assert word in told


def test_text_is_no_quantity_and_few_rows_are_too_few(tmp_path: Path) -> None:
    assert "a regression needs numbers" in refused(tmp_path, houses(), "district", task="regression")
    assert "expected at least 20" in refused(tmp_path, houses(12), "price")


def test_a_column_that_is_not_there_is_refused_with_the_nearest(tmp_path: Path) -> None:
    assert "Did you mean 'price'?" in refused(tmp_path, houses(), "prize")
    assert "no column 'gardn'" in refused(tmp_path, houses(), "price", leave_out=("gardn",))


def test_a_column_that_is_left_out_may_hold_anything(tmp_path: Path) -> None:
    broken = change(houses(), lambda n, row: row | {"size": "12 m" if n == 4 else row["size"]})
    made = drafted(tmp_path, broken, "price", leave_out=("size",))
    assert "size" not in yaml.safe_load(made.files["schemas/t.yaml"])["columns"]


def test_a_column_that_looks_of_no_use_is_used_where_asked(tmp_path: Path) -> None:
    counted = change(houses(), lambda n, row: {"week": n, "price": row["price"]})
    assert "an identifier" in refused(tmp_path, counted, "price")
    assert drafted(tmp_path, counted, "price", use=("week",)).features == {"week": "number"}


def test_held_out_rows_of_one_label_decide_nothing(tmp_path: Path) -> None:
    same = [{"a": number % 2, "y": "xy"[number % 2]} for number in range(40)]
    assert "too few to judge a model by" in refused(tmp_path, same, "y")


def test_a_column_that_tells_the_label_by_itself_is_worth_a_warning(tmp_path: Path) -> None:
    alive = change(houses(), lambda n, row: row | {"price": n % 2, "alive": ["no", "yes"][n % 2]})
    assert [w for w in drafted(tmp_path, alive, "price").warnings if "--leave-out alive" in w]
    cents = change(houses(), lambda _, row: row | {"cents": row["price"] * 100})
    assert [w for w in drafted(tmp_path, cents, "price").warnings if "--leave-out cents" in w]
    assert not drafted(tmp_path, houses(), "price").warnings


def test_labels_of_few_rows_are_worth_a_warning(tmp_path: Path) -> None:
    rare = change(houses(), lambda n, row: row | {"price": "c" if n < 4 else "ab"[n % 2]})
    assert any(
        "fewer than 10 rows have the label 'c'" in one for one in drafted(tmp_path, rare, "price").warnings
    )


def test_a_mail_address_needs_no_quotes(tmp_path: Path) -> None:
    assert "\nowner: ada@example.com\n" in drafted(tmp_path, houses(), "price").files["loopwright.yaml"]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("My customers (2026)", "my-customers-2026"),
        ("Größe", "grosse"),
        ("7 dwarfs", "dwarfs"),
        ("日本", "rows"),
    ],
)
def test_names_are_made_of_anything(text: str, name: str) -> None:
    assert named_after(text, "rows") == name
