"""What a package's own replica is told under evaluation: from the package, whatever made it and whatever serves now."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from loopwright.evaluation.package_files import settings_for

INPUTS = [{"name": "age", "type": "number", "nullable": False, "categories": None}]
MODEL = {
    "entry": "",
    "model": {"path": "m.joblib", "flavor": "sklearn"},
    "outputs": [{"name": "prediction", "type": "integer"}],
    "compiled": True,
}
SERVING = {"revision": "r", "entry": "score.py", "workers": 2, "limits": {"concurrency": 3}}


def package(folder: Path, **manifest: Any) -> Path:
    (folder / "package.json").write_text(json.dumps({"workload": "toy"} | manifest))
    (folder / "signature.json").write_text(json.dumps({"inputs": INPUTS}))
    return folder


def test_a_package_of_the_first_version_has_a_script(tmp_path: Path) -> None:
    settings = settings_for(package(tmp_path, entry="old.py"), "/p", "champion", SERVING, validate=False)
    assert (settings.entry, settings.model, settings.inputs) == ("old.py", None, None)
    assert settings.limits.concurrency == 3


def test_a_script_is_compared_with_a_model_and_a_model_with_a_script(tmp_path: Path) -> None:
    serving = SERVING | MODEL
    settings = settings_for(package(tmp_path, entry="old.py"), "/p", "champion", serving, validate=False)
    assert (settings.entry, settings.model, settings.outputs, settings.compiled) == (
        "old.py",
        None,
        None,
        False,
    )


@pytest.mark.parametrize("validate", [True, False])
def test_a_model_always_has_inputs_and_only_where_it_is_the_candidate_may_none_be_missing(
    tmp_path: Path, validate: bool
) -> None:
    settings = settings_for(package(tmp_path, **MODEL), "/p", "one", SERVING, validate)
    assert settings.model is not None
    assert settings.compiled
    assert settings.inputs is not None
    assert settings.inputs[0].nullable is not validate
