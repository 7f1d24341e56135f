import json
import sys
from pathlib import Path

import pytest


@pytest.fixture
def report(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parents[3] / "benchmarks"))
    import report

    return report


def ended(report, monkeypatch, budgets, *words):
    monkeypatch.setattr(sys, "argv", ["benchmark", *words])
    with pytest.raises(SystemExit) as ended:
        report.main(lambda: budgets)
    return ended.value.code


def test_a_kept_budget_passes(report, monkeypatch, capsys):
    kept = report.Budget("start", [0.3, 0.1, 0.2], 0.25, "s", compared={"bare": [0.1]})
    assert ended(report, monkeypatch, [kept]) == 0
    assert (
        capsys.readouterr().out == "PASS start: 0.2 s (0.1 to 0.3, 3 rounds), 2.00 x bare; budget <= 0.25 s\n"
    )


@pytest.mark.parametrize(("samples", "at_least"), [([0.3], False), ([0.2], True)])
def test_one_miss_is_exit_status_1(report, monkeypatch, capsys, samples, at_least):
    budgets = [
        report.Budget("kept", [1.0], 1.0),
        report.Budget("missed", samples, 0.25, "s", at_least=at_least),
    ]
    assert ended(report, monkeypatch, budgets) == 1
    assert capsys.readouterr().out.splitlines()[1].startswith("MISS missed: ")


def test_all_samples_are_in_the_file(report, monkeypatch, tmp_path):
    ended(
        report,
        monkeypatch,
        [report.Budget("start", [0.3, 0.1], 0.25)],
        "--json",
        str(tmp_path / "found.json"),
    )
    found = json.loads((tmp_path / "found.json").read_text())
    assert (found["passed"], found["budgets"][0]["samples"]) == (True, [0.3, 0.1])


def test_nothing_measured_passes_nothing(report, monkeypatch):
    assert ended(report, monkeypatch, []) == 1
    with pytest.raises(ValueError, match="nothing was measured"):
        report.Budget("start", [], 1.0)


def test_sides_are_measured_in_turn(report):
    order = []
    sides = {name: lambda name=name: float(order.append(name) or len(order)) for name in "ab"}
    assert report.alternate(sides, rounds=2) == {"a": [4.0, 5.0], "b": [3.0, 6.0]}
    assert order == ["a", "b", "b", "a", "a", "b"]
