"""Variables of a spec: names that are free, values that are text, groups with one source."""

from __future__ import annotations

import pytest

from loopwright.errors import SpecError
from loopwright.spec import load_text


def problems(text: str) -> list[str]:
    with pytest.raises(SpecError) as caught:
        load_text(text, "f.yaml")
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("section", "told"),
    [
        ("variables: {A: 5}", "f.yaml:1:16: variables.A: found `5`, expected text, or `secret:NAME` for a secret. Put it into quotes."),
        ("variables: {A: 'secret:a-b'}", "variables.A: found the text `secret:a-b`, expected text, or `secret:NAME`"),
        ("variables: {PATH: x}", "f.yaml:1:13: variables.PATH: found the text `PATH`"),
        ("variables: {MLFLOW_RUN_ID: x}", "It is set by Loopwright or the system; take another."),
        ("variables: {a-b: x}", "expected a name of letters, digits and `_`, such as `API_URL`."),
        ("variable_groups: {g: {}}", "variable_groups.g: found a group without a source, expected one of `file`, `names` or `prefix`."),
        ("variable_groups: {g: {file: e, prefix: A_}}", "variable_groups.g: found `file` and `prefix` together"),
        ("nonsense: 1\nvariable_groups: {g: {prefix: A_, environments: [dev, pord]}}", "variable_groups.g.environments.1: found the environment `pord`"),
        ("variable_groups: {g: {prefix: A_, environments: [pord]}}", "variable_groups.g.environments.0: found the environment `pord`, expected `dev` or `prod`."),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told(example: str, section: str, told: str) -> None:
    assert any(told in problem for problem in problems(f"{section}\n{example}"))


@pytest.mark.parametrize(
    ("name", "told"),
    [("TOKEN", "no secret belongs there"), ("OTHER", "No variable OTHER is declared.")],
)
def test_a_command_names_plain_variables_alone(example: str, name: str, told: str) -> None:
    variables = 'variables: {DEPTH: "5", TOKEN: "secret:TOKEN"}\n'
    right = example.replace("training.py", "training.py {variables.DEPTH}", 1)
    load_text(f"{variables}{right}")
    assert told in problems(f"{variables}{right.replace('DEPTH}', name + '}')}")[0]
