"""`python -m loopwright.packaging.job FOLDER`: the package step of the loop, as a job of its own.

Same inputs, same package: nothing in it depends on when or where it was made, unless the scoring script's own answer
does (a time, a random number), for that answer is the package's example.
"""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath
from typing import Any

import msgspec

import loopwright
from loopwright import jobs
from loopwright.errors import StepFailed
from loopwright.observations import bins
from loopwright.packaging import signature
from loopwright.packaging.compiling import Data, Wish
from loopwright.packaging.contents import MANIFEST, Manifest, identify, list_files
from loopwright.packaging.copying import copy_file, copy_folder
from loopwright.packaging.example import ask
from loopwright.packaging.served import Served, served_model
from loopwright.scoring import Flavor, Input, Limits, Settings
from loopwright.secrets.masking import Masker


class PackageInput(msgspec.Struct, frozen=True, kw_only=True):
    """What the job is told; paths are absolute."""

    workload: str
    model: str  # the folder that training wrote
    code: str  # the folder of the scoring code
    entry: str = ""  # the scoring script; or else
    served: str = ""  # the model that answers without one, as its path inside `model`
    flavor: Flavor | None = None  # of that model; found from the file where not given
    compile: Wish = "auto"
    train: str = ""  # files of rows: what generated ones are made of,
    test: str = ""  # and what the compiled form is compared on
    lock: str
    python: str
    python_version: str
    baseline: str
    columns: tuple[Input, ...]
    example: dict[str, Any]
    label: str
    run: str
    data_version: str
    commit: str | None = None
    validate_inputs: bool = True
    limits: Limits = Limits()
    threads: int = 1
    secrets: tuple[str, ...] = ()


def work(given: jobs.Input, outputs: Path) -> jobs.Output:
    """Make the package in outputs/package; raises StepFailed where something is missing or the scoring script fails."""
    told = msgspec.convert(given, PackageInput)
    folder = outputs / "package"
    _copy(told, folder)
    served = _served(told, folder)
    response = ask(_settings(told, folder, served), told.example)
    _refuse_secrets(told, response)
    _write(folder / "signature.json", signature.render(told.columns, told.example, response, served))
    made = _manifest(told, list_files(folder), served)
    _write(folder / MANIFEST, msgspec.json.format(msgspec.json.encode(made), indent=1))
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    example = {"request": told.example, "response": response}
    return {"digest": made.digest, "size": size, "example": example} | (served.told() if served else {})


def _copy(told: PackageInput, folder: Path) -> None:
    if not copy_folder(Path(told.model), folder / "model", "{outputs}"):
        raise StepFailed(
            "Training wrote no file into {outputs}, so there is no model to package: let the training command write there, "
            "for instance with --model-path {outputs}/model.joblib."
        )
    copy_folder(Path(told.code), folder / "code", "code")
    if not told.served:
        _require_entry(PurePosixPath(told.entry), folder)
    copy_file(Path(told.lock), folder / "requirements.lock")
    copy_file(Path(told.baseline), folder / "baseline.json")
    bins.decode((folder / "baseline.json").read_bytes())


def _require_entry(entry: PurePosixPath, folder: Path) -> None:
    if entry.is_absolute() or ".." in entry.parts or not (folder / "code" / entry).is_file():
        raise StepFailed(
            f"The scoring script {entry} is not among the packaged files; correct serving.entry or serving.files."
        )


def _served(told: PackageInput, folder: Path) -> Served | None:
    """The model that answers without a script; None where a script does."""
    if not told.served:
        return None
    data = Data(told.train, told.test)
    return served_model(
        folder, told.served, told.flavor, told.python, told.columns, told.example, told.compile, data
    )


def _refuse_secrets(told: PackageInput, answer: Any) -> None:
    """The package keeps the answer as its example, and clients would get it: no secret may be in it."""
    text = msgspec.json.encode(answer).decode()
    for name in told.secrets:
        if Masker([os.environ.get(name, "")]).text(text) != text:
            raise StepFailed(
                f"{told.entry or told.served} answers with the value of the secret variable {name}, which clients must not get. Take it out of the answer."
            )


def _settings(told: PackageInput, folder: Path, served: Served | None) -> Settings:
    return Settings(
        workload=told.workload,
        environment="packaging",
        revision="package",
        package=str(folder.absolute()),
        entry=told.entry,
        model=served.model if served else None,
        outputs=served.outputs if served else None,
        compiled=served is not None and served.compiled,
        python=told.python,
        inputs=told.columns if told.validate_inputs else None,
        limits=told.limits,
        threads=told.threads,
        secrets=told.secrets,
    )


def _manifest(told: PackageInput, files: dict[str, str], served: Served | None) -> Manifest:
    model = served.model if served else None
    return Manifest(
        workload=told.workload,
        entry=told.entry,
        model=model,
        outputs=served.outputs if served else None,
        compiled=served is not None and served.compiled,
        uncompiled=served.uncompiled if served else "",
        digest=identify(files, told.entry, model),
        files=files,
        lock=files["requirements.lock"],
        python=told.python_version,
        run=told.run,
        data_version=told.data_version,
        commit=told.commit,
        label=told.label,
        created_by=f"loopwright {loopwright.__version__}",
    )


def _write(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    path.chmod(0o444)


if __name__ == "__main__":
    jobs.main(work)
