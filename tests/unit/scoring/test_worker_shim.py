"""The part that runs in the user's interpreter: what it makes of answers, errors and old Pythons."""

from __future__ import annotations

import ast
import asyncio
import datetime as dt
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from loopwright.scoring import worker_shim
from loopwright.scoring.hosted.settling import joined_filters
from loopwright.scoring.worker_shim import Background, Encoder, explain, import_entry

_NAN, _INF = float("nan"), float("inf")


class _Array:
    """Looks like NumPy's, without it."""

    def __init__(self, values: Any) -> None:
        self._values = values

    def tolist(self) -> Any:
        return self._values


class _Scalar(_Array):
    def item(self) -> Any:
        return self._values

    __hash__ = object.__hash__


class _Frame:
    columns = ("a",)

    def to_dict(self, orient: str) -> Any:
        assert orient == "records"
        return [{"a": _Scalar(1)}]


@pytest.mark.parametrize(
    ("value", "expected", "replaced"),
    [
        ("text", "text", 0),
        (None, None, 0),
        ({"a": [1, 2.5, True, ("x",)]}, {"a": [1, 2.5, True, ["x"]]}, 0),
        ([_NAN, _INF, -_INF, 1.0], [None, None, None, 1.0], 3),
        ({"a": _Array([1, [_NAN]])}, {"a": [1, [None]]}, 1),
        (_Array([_Array([1]), 2]), [[1], 2], 0),
        ({_Scalar(3): 1, None: 2, True: 3, 1.5: 4}, {"3": 1, "null": 2, "true": 3, "1.5": 4}, 0),
        (_Frame(), [{"a": 1}], 0),
        (dt.date(2024, 2, 29), "2024-02-29", 0),
        ({"a": _NAN, "b": _Frame()}, {"a": None, "b": [{"a": 1}]}, 1),
    ],
)
def test_answers_become_json(value: Any, expected: Any, replaced: int) -> None:
    encoder = Encoder()
    assert json.loads(encoder.encode(value), parse_constant=pytest.fail) == expected
    assert encoder.replaced == replaced


@pytest.mark.parametrize("value", [object(), {"a": b"bytes"}, {("a", "b"): 1}, _Array])
def test_what_json_cannot_hold_is_named(value: Any) -> None:
    with pytest.raises(TypeError, match="which JSON cannot hold"):
        Encoder().encode(value)


def test_an_error_is_placed_in_the_users_code(tmp_path: Path) -> None:
    (tmp_path / "score.py").write_text(
        "def run(data):\n    return deep(data)\n\ndef deep(data):\n    return int(data)\n"
    )
    module = import_entry(str(tmp_path), "score.py")
    with pytest.raises(ValueError, match="invalid literal") as caught:
        module.run("x")
    explanation = explain(caught.value, str(tmp_path))
    assert (explanation["type"], explanation["where"]) == ("ValueError", "score.py:5")
    assert "return deep(data)" in explanation["traceback"]


def test_a_syntax_error_is_placed_too(tmp_path: Path) -> None:
    (tmp_path / "score.py").write_text("def run(data):\n    return (\n")
    with pytest.raises(SyntaxError) as caught:
        import_entry(str(tmp_path), "score.py")
    assert explain(caught.value, str(tmp_path))["where"] == "score.py:2"


def test_importing_leaves_the_package_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "beside.py").write_text("value = 3\n")
    (tmp_path / "lib" / "entry_of_this_test.py").write_text(
        "import beside\nimport lib.beside\nrun = lambda data: beside.value\n"
    )
    before = sorted(tmp_path.rglob("*"))
    assert import_entry(str(tmp_path), "lib/entry_of_this_test.py").run("") == 3
    assert sorted(tmp_path.rglob("*")) == before


def test_awaitables_are_awaited_in_one_loop() -> None:
    async def loop() -> int:
        await asyncio.sleep(0)
        return id(asyncio.get_running_loop())

    background = Background()
    assert background.finish(loop()) == background.finish(loop())
    assert background.finish("plain") == "plain"


def test_what_it_loads_is_python_3_8_without_loopwright() -> None:
    room = Path(worker_shim.__file__).parent
    for file in (*room.glob("hosted/*.py"), *room.glob("models/*.py"), room / "model_shim.py"):
        text = file.read_text()
        ast.parse(text, feature_version=(3, 8))
        assert "import loopwright" not in text, file
        assert "from loopwright." not in text, file


def test_it_is_python_3_8_and_standard_library_alone() -> None:
    tree = ast.parse(Path(worker_shim.__file__).read_text(), feature_version=(3, 8))
    imported = {
        name.split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in (
            [node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]
        )
    }
    assert imported <= sys.stdlib_module_names


@pytest.fixture(autouse=True)
def _keep_the_import_system(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setattr(sys, "path_hooks", [*sys.path_hooks])
    monkeypatch.setattr(sys, "modules", {**sys.modules})
    sys.path_importer_cache.clear()


def test_filters_of_warnings_are_fewer_and_mean_the_same() -> None:
    import re

    ours = ("error", re.compile("of the script"), UserWarning, None, 0)
    before = [
        ("ignore", re.compile("numpy.dtype size changed"), Warning, None, 0),
        ours,
        ("default", None, DeprecationWarning, "__main__", 0),
        ("ignore", None, DeprecationWarning, None, 0),
        ("ignore", None, ImportWarning, None, 0),
        ("always", None, RuntimeWarning, None, 0),
        ("ignore", None, ResourceWarning, None, 0),
    ]
    assert joined_filters(before) == [
        ours,
        ("ignore", None, (DeprecationWarning, ImportWarning), None, 0),
        ("always", None, RuntimeWarning, None, 0),
        ("ignore", None, ResourceWarning, None, 0),
    ]


def test_joined_filters_are_understood_by_python() -> None:
    import warnings

    with warnings.catch_warnings(record=True) as told:
        warnings.resetwarnings()
        warnings.simplefilter("always")
        warnings.simplefilter("ignore", ImportWarning)
        warnings.simplefilter("ignore", ResourceWarning)
        warnings.filters[:] = joined_filters(warnings.filters)  # type: ignore[index]
        for kind in (ImportWarning, ResourceWarning, UserWarning):
            warnings.warn("x", kind, stacklevel=1)
    assert [one.category for one in told] == [UserWarning]
