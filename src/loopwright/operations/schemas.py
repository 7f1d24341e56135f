"""Write the first schema file of a data set."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from loopwright.errors import ConflictError, NotFoundError
from loopwright.loop.files import SPEC_FILE
from loopwright.spec import load_for_inference
from loopwright.state import replace_file


def infer_schema(folder: Path, name: str | None, force: bool) -> dict[str, Any]:
    """Infer a schema from a data set's source and write it where the spec says, else to schemas/NAME.yaml.

    Raises ConflictError where a file stands there already, unless `force`: a schema, once made, is the user's.
    """
    from loopwright.datasets import infer

    spec = load_for_inference(folder / SPEC_FILE)
    name = name or next(iter(spec.data))
    if name not in spec.data:
        raise NotFoundError(f"{folder / SPEC_FILE} declares no data set {name}, but {', '.join(spec.data)}.")
    data = spec.data[name]
    relative = data.data_schema or f"schemas/{name}.yaml"
    path = folder / relative
    if path.exists() and not force:
        raise ConflictError(f"{path} stands already, and may hold your changes. Use --force to replace it.")
    text = infer(folder / data.source, data.label, data.source)
    replace_file(path, text.encode(), mode=0o644)
    advice = "" if data.data_schema else f" Name it in loopwright.yaml: data.{name}.schema: {relative}"
    return {"path": str(path), "columns": _columns(text), "advice": advice}


def _columns(text: str) -> int:
    import yaml

    return len(yaml.safe_load(text)["columns"])
