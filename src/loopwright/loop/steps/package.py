"""Step package: model, scoring code, lock, signature and baseline made one immutable thing with a digest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from loopwright.catalog import Store
from loopwright.catalog.contents import EXECUTABLE
from loopwright.engines.base import Job
from loopwright.errors import Place
from loopwright.loop import compilation
from loopwright.loop.case import Case, Kept, Output, Services
from loopwright.loop.files import serving_files
from loopwright.loop.serving import probability_in
from loopwright.loop.steps.base import JobStep, our_job, our_output
from loopwright.loop.variables import first_variables, seen
from loopwright.secrets.references import referred
from loopwright.training import threads


class PackageStep(JobStep):
    """The same package goes everywhere."""

    name = "package"
    needs = ("train",)

    def inputs(self, case: Case) -> dict[str, Any]:
        return {
            "model": case.outputs["train"]["model"],
            "run": case.outputs["train"]["run"],
            "data": case.outputs["data"]["tree"],
            "environment": case.outputs["environment"]["digest"],
            "code": dict(serving_files(case.spec, case.change)),
            **self._answering(case),
        } | seen(first_variables(case.spec, case.change))

    def _answering(self, case: Case) -> dict[str, Any]:
        serving = case.spec.serving
        if serving.entry is not None:
            return {"entry": serving.entry}
        return {
            "served": serving.model,
            "flavor": serving.flavor,
            "compile": case.spec.packaging.compile,
        }

    def called(self, case: Case) -> dict[str, str]:
        return {
            "data": "data version",
            "environment": "Python environment",
            "code": "",
            "entry": "serving.entry",
            "served": "serving.model",
            "flavor": "serving.flavor",
            "compile": "packaging.compile",
        }

    def fresh(self, case: Case, earlier: Sequence[Output], store: Store) -> frozenset[str]:
        """The digest, where no earlier package has this code and this script or model to answer: it is one over all of it."""
        code = _plain({f"code/{path}": name for path, name in serving_files(case.spec, case.change).items()})
        answers = case.spec.serving.entry or case.spec.serving.model
        packaged = [_code_in(output["tree"], store) for output in earlier if _answers(output) == answers]
        return (
            frozenset({"digest", "tree"})
            if all(found not in (None, code) for found in packaged)
            else frozenset()
        )

    def available(self, output: Output, kept: Kept) -> bool:
        return kept.store.has_tree(output["tree"])

    def job(self, case: Case, services: Services, job_id: str, folder: Path) -> Job:
        data, environment = case.outputs["data"], case.outputs["environment"]
        variables = first_variables(case.spec, case.change)
        services.store.checkout(serving_files(case.spec, case.change), folder / "code")
        serving = case.spec.serving
        given = {
            "workload": case.change.workload,
            "model": str(services.store.tree(case.outputs["train"]["model"])),
            "code": str(folder / "code"),
            **self._answering(case),
            "lock": str(services.store.file(environment["lock"])),
            "python": str(services.python(environment["digest"])),
            "python_version": environment["python_version"],
            "baseline": str(services.store.tree(data["tree"]) / "baseline.json"),
            "train": str(services.store.tree(data["tree"]) / data["train"]),
            "test": str(services.store.tree(data["tree"]) / data["test"]),
            "columns": data["columns"],
            "example": {column["name"]: data["example"].get(column["name"]) for column in data["columns"]},
            "label": data["label"]["name"],
            "run": case.outputs["train"]["run"],
            "data_version": data["version"],
            "commit": case.outputs["train"]["commit"],
            "validate_inputs": serving.validate_inputs,
            "limits": serving.limits.model_dump(),
            "threads": threads(serving.resources.cpu),
            "secrets": sorted(referred(variables)),
        }
        return our_job(
            "loopwright.packaging.job",
            self.name,
            case,
            job_id,
            folder,
            given,
            variables=variables,
            max_duration=600.0,
        )

    def result(self, case: Case, services: Services, job_id: str, folder: Path) -> dict[str, Any]:
        output = our_output(folder, self.name)
        tree = services.store.put_tree(folder / "outputs" / "package")
        environment, data = case.outputs["environment"], case.outputs["data"]
        return output | {
            "tree": tree,
            "entry": case.spec.serving.entry or "",
            "environment": environment["digest"],
            "data": data["tree"],
            "train": data["train"],
            "columns": data["columns"],
            "data_version": data["version"],
            "run": case.outputs["train"]["run"],
            "commit": case.outputs["train"]["commit"],
            "prediction": case.spec.evaluation.prediction,
            "probability": probability_in(case.spec, output),
        }

    def rests_on(self, case: Case) -> tuple[Place | str, ...]:
        return (case.spec.serving.place,)

    def summary(self, output: Output) -> str:
        said = compilation.told(output)
        return f"{output['digest'][:19]}, {output['size'] / 1024**2:.1f} MiB{f', {said}' if said else ''}"


def _answers(output: Output) -> str | None:
    """The script of an earlier package, or its model."""
    return output.get("entry") or (output.get("model") or {}).get("path")


def _code_in(tree: str, store: Store) -> dict[str, str] | None:
    """Path -> content of an earlier package's code; None where its files are gone."""
    if not store.has_tree(tree):
        return None
    return _plain({path: name for path, name in store.listing(tree).items() if path.startswith("code/")})


def _plain(files: Mapping[str, str]) -> dict[str, str]:
    """Without modes: a package is named by paths and bytes alone."""
    return {path: name.removesuffix(EXECUTABLE) for path, name in files.items()}
