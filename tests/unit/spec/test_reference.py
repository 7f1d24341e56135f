from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from loopwright.spec import CasesFile, Workload
from loopwright.spec.fields import walk
from loopwright.spec.reference import markdown

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "spec.md"


def test_the_page_is_what_the_models_say() -> None:
    assert PAGE.read_text() == markdown(), "run: python -m loopwright.spec.reference > docs/reference/spec.md"


def test_it_is_printed() -> None:
    printed = subprocess.run(
        [sys.executable, "-m", "loopwright.spec.reference"], capture_output=True, text=True, check=True
    )
    assert printed.stdout == markdown()
    assert printed.stderr == ""


def test_every_field_has_a_line_and_a_meaning() -> None:
    text = markdown()
    for place in (*walk(Workload), *walk(CasesFile)):
        assert place.info.description, place.path
        path = (
            place.path.replace("data.*", "data.NAME")
            .replace("environments.*", "environments.NAME")
            .replace("variable_groups.*", "variable_groups.NAME")
            .replace(".*", "[]")
        )
        assert f"| `{path}` |" in text


def test_nothing_heavy_is_imported() -> None:
    heavy = "{'numpy', 'pandas', 'jsonschema', 'fastapi', 'httpx', 'mlflow', 'asyncio', 'hypothesis'}"
    code = f"import sys, loopwright.spec; sys.exit(', '.join({heavy} & set(sys.modules)))"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False).stderr
        == "\n"
    )
