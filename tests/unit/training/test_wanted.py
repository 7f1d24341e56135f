"""What a dependency file asks for, whatever its form; what cannot be met is refused by name and line."""

from __future__ import annotations

import pytest

from loopwright.errors import SpecError
from loopwright.spec.dependencies import Dependencies
from loopwright.training.wanted import Wanted, gather

CONDA = """\
name: churn
channels: [conda-forge]
dependencies:
  - python=3.12
  - numpy=2.2
  - conda-forge::pandas>=2,<3
  - scikit-learn==1.5.2
  - pytorch
  - joblib 1.4.*
  - pip
  - pip:
    - mlflow-skinny==3.1
"""
PYPROJECT = """\
[project]
name = "churn"
requires-python = ">=3.11"
dependencies = [
  "numpy>=2",
]
[project.optional-dependencies]
all = ["churn[gpu,Dev]"]
gpu = ["torch"]
dev = ["pytest", "churn[all]"]
"""


def asked(files: dict[str, str], **source: object) -> Wanted:
    return gather(Dependencies.model_validate(source), files.get)


def refused(files: dict[str, str], **source: object) -> list[str]:
    with pytest.raises(SpecError) as caught:
        asked(files, **source)
    return [str(problem) for problem in caught.value.problems]


def test_a_requirements_file_with_what_it_includes() -> None:
    files = {
        "a/r.txt": "# ours\n-r ../b.txt\nnumpy>=2 # why\n-cc.txt\npandas==3.1 \\\n  --hash=sha256:aa\n--index-url https://x/simple\n",
        "b.txt": "scipy\n-r a/r.txt\n",
        "a/c.txt": "joblib<2\n",
    }
    found = asked(files, requirements="a/r.txt")
    assert found.texts() == {
        "requirements": ["scipy", "numpy>=2", "pandas==3.1 --hash=sha256:aa"],
        "constraints": ["joblib<2"],
        "options": ["--index-url https://x/simple"],
    }
    assert found.files == ("a/r.txt", "b.txt", "a/c.txt")
    assert found.requirements[-1].line == 5


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("-e .", "r.txt:2:1: found an editable install, expected a package by its name."),
        ("./x.whl", "r.txt:2:1: found `./x.whl`, expected a package by its name."),
        ("-r ../up.txt", "r.txt:2:1: found the file `../up.txt`, expected a file inside the workload's folder."),
        ("-r none.txt", "r.txt:2:1: found the file `none.txt`, which is not there"),
        ("numpy=2", "r.txt:2:1: found `numpy=2`, expected a requirement such as `numpy>=2.2`."),
        ("--pre", "r.txt:2:1: found the option `--pre`"),
    ],
)  # fmt: skip
def test_a_line_that_cannot_be_met_is_named(line: str, told: str) -> None:
    assert refused({"r.txt": f"scipy\n{line}\n"}, requirements="r.txt")[0].startswith(told)


def test_a_pyproject_with_an_extra_that_brings_others() -> None:
    found = asked({"pyproject.toml": PYPROJECT}, pyproject="pyproject.toml", extras=["all"])
    assert found.texts()["requirements"] == ["numpy>=2", "torch", "pytest"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (PYPROJECT, "pyproject.toml:7:1: found no extra `al`, expected `all`, `dev` or `gpu`."),
        ("[tool.poetry]\n", "found no table `[project]`, expected a table `[project]` with `dependencies`"),
        ("[project\n", "pyproject.toml:1:9: found text that is not TOML"),
        ("[project]\ndynamic = ['dependencies']\n", "pyproject.toml:2:1: project.dynamic: found `dependencies`"),
        ("[project]\ndependencies = ['a b']\n", "pyproject.toml:2:1: found `a b`, expected a requirement"),
        ("[project]\ndependencies = 'numpy'\n", "pyproject.toml:2:1: dependencies: found no list of texts"),
    ],
)  # fmt: skip
def test_a_pyproject_that_does_not_say_it_plainly(text: str, told: str) -> None:
    extras = ["al"] if text == PYPROJECT else []
    assert told in refused({"pyproject.toml": text}, pyproject="pyproject.toml", extras=extras)[0]


def test_a_conda_file_is_met_from_pypi() -> None:
    found = asked({"c.yml": CONDA}, conda="c.yml")
    assert found.python == "3.12"
    assert found.texts()["requirements"] == [
        *("numpy==2.2.*", "pandas>=2,<3", "scikit-learn==1.5.2", "torch", "joblib==1.4.*"),
        "mlflow-skinny==3.1",
    ]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("cudatoolkit=11.3", "c.yml:2:5: dependencies.0: found the conda package cudatoolkit, a part of CUDA"),
        ("libgcc", "found the conda package libgcc, a library that is no Python package"),
        ("_libgcc_mutex", "found the conda package _libgcc_mutex"),
        ("r-base=4.1", "found the conda package r-base, a package of R"),
        ("foo-bar", "found the conda package foo-bar, expected a package that PyPI is known to have"),
        ("numpy=1.26.4=py311_0", "found the build `py311_0` of numpy, expected a version alone."),
        ("python>=3.8", "found `python>=3.8`, expected one Python version such as `python=3.12`."),
        ("5", "found `5`, expected a package such as `numpy=2.2`"),
        ("pip: ['-r x.txt']", "c.yml:2:11: dependencies.0.pip.0: found `-r x.txt`"),
    ],
)  # fmt: skip
def test_what_pypi_does_not_have_is_refused_by_name(line: str, told: str) -> None:
    assert told in refused({"c.yml": f"dependencies:\n  - {line}\n"}, conda="c.yml")[0]


def test_two_python_versions_are_one_too_many() -> None:
    assert "found Python 3.12, expected 3.11" in refused({"c.yml": CONDA}, conda="c.yml", python="3.11")[0]
