"""Step data: the source read, validated against its schema, versioned and split."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from loopwright.catalog import Store
from loopwright.engines.base import Job
from loopwright.errors import Place
from loopwright.loop.case import Case, Kept, Output, Services
from loopwright.loop.steps.base import JobStep, our_job, our_output


class DataStep(JobStep):
    """A data version: content, statistics, and which rows are held out."""

    name = "data"

    def inputs(self, case: Case) -> dict[str, Any]:
        data = case.data
        source = case.change.sources[case.data_name]
        return {
            "name": case.data_name,
            "content": source.content,
            "format": Path(data.source).suffix.lower(),
            "schema": case.change.files[data.data_schema] if data.data_schema else None,
            "label": data.label,
            "split": data.split.model_dump(),
            "stale": source.stale,
        }

    def called(self, case: Case) -> dict[str, str]:
        prefix = f"data.{case.data_name}"
        return {
            "name": "the data set's name",
            "content": case.data.source,
            "schema": case.data.data_schema or f"{prefix}.schema",
            "label": f"{prefix}.label",
            "split": f"{prefix}.split",
            "stale": f"{prefix}.fresh_within exceeded",
        }

    def fresh(self, case: Case, earlier: Sequence[Output], store: Store) -> frozenset[str]:
        """The version of a content that was never seen is in the profile, and so in the tree."""
        del store
        content = case.change.sources[case.data_name].content
        seen = any(output["version"] == content for output in earlier)
        return frozenset() if seen else frozenset({"tree", "version"})

    def available(self, output: Output, kept: Kept) -> bool:
        return kept.store.has_tree(output["tree"])

    def job(self, case: Case, services: Services, job_id: str, folder: Path) -> Job:
        data = case.data
        source = case.change.sources[case.data_name]
        given = {
            "name": case.data_name,
            "source": str(services.store.file(source.content)),
            "source_name": data.source,
            "schema": str(services.store.file(case.change.files[data.data_schema]))
            if data.data_schema
            else None,
            "schema_name": data.data_schema,
            "label": data.label,
            "split": data.split.model_dump(),
            "fresh_within": data.fresh_within,
            "modified_at": source.modified_at,
            "now": case.change.requested_at,
        }
        return our_job("loopwright.datasets.job", self.name, case, job_id, folder, given)

    def result(self, case: Case, services: Services, job_id: str, folder: Path) -> dict[str, Any]:
        output = our_output(folder, self.name)
        return output | {"name": case.data_name, "tree": services.store.put_tree(folder / "outputs")}

    def rests_on(self, case: Case) -> tuple[Place | str, ...]:
        return (f"data.{case.data_name}.source",)

    def summary(self, output: Output) -> str:
        rows = f"{output['rows']} rows: {output['train_rows']} train, {output['test_rows']} test"
        return "\n".join([rows, *(f"warning: {warning}" for warning in output["warnings"])])
